"""Every other important change, interrupted at every point: repeated, it is answered, and was made once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.unit.flows.harness import BY_PASSWORD, FlowHarness, Owner
from tests.unit.flows.interruptions import Flow, die_at, hang_up_at, points
from twofactor_server.flows.idempotency import BackupCodeResult
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.two_factor.complete_sign_in import SignedIn

Prepare = Callable[[FlowHarness], Awaitable[tuple[Owner, Flow]]]
GENERATION = "SELECT generation - 1 FROM second_factors WHERE account_id = :p_id"


async def email_code(harness: FlowHarness) -> tuple[Owner, Flow]:
    owner = await harness.account()
    challenge = await harness.challenge(owner)
    code, request_id = await harness.mailed_code(owner), uuid4()
    return owner, lambda call: harness.email_codes.verify(call, challenge, code, request_id)


async def authenticator_code(harness: FlowHarness) -> tuple[Owner, Flow]:
    owner = await harness.account_with_authenticator()
    harness.advance(timedelta(minutes=1))  # to a step that the setup has not spent
    challenge = await harness.challenge(owner)
    code, request_id = owner.code_at(harness.now), uuid4()
    return owner, lambda call: harness.authenticator_codes.verify(call, challenge, code, request_id)


async def setup(harness: FlowHarness) -> tuple[Owner, Flow]:
    owner = await harness.account_with_authenticator()
    started = await harness.setups.start(harness.call(), owner.session, BY_PASSWORD)
    owner.secret = started.enrolment.secret.replace(" ", "")
    code, request_id = owner.code_at(harness.now), uuid4()
    return owner, lambda call: harness.setups.confirm(call, owner.session, started.setup_id, code, request_id)


async def regeneration(harness: FlowHarness) -> tuple[Owner, Flow]:
    owner = await harness.account_with_authenticator()
    request_id = uuid4()
    return owner, lambda call: harness.regeneration.regenerate(call, owner.session, BY_PASSWORD, request_id)


async def removal(harness: FlowHarness) -> tuple[Owner, Flow]:
    owner = await harness.account_with_authenticator()
    return owner, lambda call: harness.removal.remove(call, owner.session, BY_PASSWORD)


async def creation(harness: FlowHarness) -> tuple[Owner, Flow]:
    owner = await harness.account()
    request_id, email = uuid4(), f"second-{owner.email}"
    return owner, lambda call: harness.accounts.create(call, email, "correct horse battery", request_id)


# What prepares the call, its transactions, and the one trace that the change leaves.
CHANGES: dict[str, tuple[Prepare, tuple[TransactionName, ...], str]] = {
    "VerifyEmailCode": (
        email_code,
        (TransactionName.EMAIL_CODE_VERIFIED,),
        "SELECT count(*) FROM sessions WHERE account_id = :p_id",
    ),
    "VerifyAuthenticatorCode": (
        authenticator_code,
        (TransactionName.AUTHENTICATOR_CODE_VERIFIED,),
        "SELECT count(*) - 1 FROM sessions WHERE account_id = :p_id",
    ),
    "ConfirmAuthenticatorSetup": (
        setup,
        (TransactionName.SETUP_CODE_VERIFIED, TransactionName.AUTHENTICATOR_ON),
        GENERATION,
    ),
    "RegenerateBackupCode": (
        regeneration,
        (TransactionName.REGENERATION_CHARGED, TransactionName.BACKUP_CODE_REGENERATED),
        GENERATION,
    ),
    "RemoveAuthenticator": (
        removal,
        (TransactionName.REMOVAL_CHARGED, TransactionName.AUTHENTICATOR_OFF),
        "SELECT count(*) FROM outbox WHERE account_id = :p_id AND kind = 'authenticator-off'",
    ),
    "CreateAccount": (
        creation,
        (TransactionName.ACCOUNT_CREATED,),
        """
        SELECT count(*) FROM account_emails WHERE email =
            (SELECT 'second-' || email FROM accounts WHERE account_id = :p_id)
        """,
    ),
}


def is_replay(first: object, second: object) -> bool:
    """Whether the second answer repeats the first one."""
    match first, second:
        case SignedIn(), SignedIn():
            return first.session_token == second.session_token and second.replayed
        case BackupCodeResult(), BackupCodeResult():
            return first.backup_code == second.backup_code and second.replayed
    return first == second


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("interrupt", [die_at, hang_up_at])
async def test_interrupted_at_any_point_it_is_made_once(harness: FlowHarness, change: str, interrupt: Any) -> None:
    prepare, names, trace = CHANGES[change]
    for point in points(*names):
        owner, flow = await prepare(harness)
        await interrupt(harness, point, flow)
        answer = await flow(harness.call())
        assert is_replay(answer, await flow(harness.call()))
        assert await harness.query_value(trace, owner) == 1, point
