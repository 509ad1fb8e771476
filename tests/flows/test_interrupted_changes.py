"""Every other changing method, interrupted at every await and every point: repeated, it answers, and was done once."""

from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.flows.house import BY_PASSWORD, House, Owner
from tests.flows.interruptions import died_at, hung_up_at
from twofactor_server.flows.completion import SignedIn
from twofactor_server.flows.showing import ShownBackupCode
from twofactor_server.flows.steps import Step

Call = Callable[[], Coroutine[Any, Any, Any]]


async def email_code(house: House) -> tuple[Owner, Call]:
    """VerifyEmailCode."""
    owner = await house.owner()
    challenge = await house.challenge(owner)
    code, request_id = await house.mailed_code(owner), uuid4()
    return owner, lambda: house.email_codes.verify(house.call(), challenge, code, request_id)


async def authenticator_code(house: House) -> tuple[Owner, Call]:
    """VerifyAuthenticatorCode, with a step that the setup has not spent."""
    owner = await house.owner_with_authenticator()
    house.later(timedelta(minutes=1))
    challenge = await house.challenge(owner)
    code, request_id = owner.code_at(house.now), uuid4()
    return owner, lambda: house.authenticator_codes.verify(house.call(), challenge, code, request_id)


async def setup(house: House) -> tuple[Owner, Call]:
    """ConfirmAuthenticatorSetup, of a new phone."""
    owner = await house.owner_with_authenticator()
    started = await house.setups.start(house.call(), owner.session_token, BY_PASSWORD)
    owner.secret = started.enrolment.secret.replace(" ", "")
    code, request_id = owner.code_at(house.now), uuid4()
    return owner, lambda: house.setups.confirm(house.call(), owner.session_token, started.setup_id, code, request_id)


async def regeneration(house: House) -> tuple[Owner, Call]:
    """RegenerateBackupCode."""
    owner = await house.owner_with_authenticator()
    request_id = uuid4()
    return owner, lambda: house.regeneration.regenerate(house.call(), owner.session_token, BY_PASSWORD, request_id)


async def removal(house: House) -> tuple[Owner, Call]:
    """RemoveAuthenticator; "already so" is OK, so it needs no request_id."""
    owner = await house.owner_with_authenticator()
    return owner, lambda: house.removal.remove(house.call(), owner.session_token, BY_PASSWORD)


async def creation(house: House) -> tuple[Owner, Call]:
    """CreateAccount."""
    owner = await house.owner()
    request_id, email = uuid4(), f"second-{owner.email}"
    return owner, lambda: house.accounts.create(house.call(), email, "correct horse battery", request_id)


Preparing = Callable[[House], Awaitable[tuple[Owner, Call]]]
# What prepares the call, its steps, how often it waits, and the one trace that doing it leaves.
CHANGES: dict[str, tuple[Preparing, tuple[Step, ...], int, str]] = {
    "e-mail code": (
        email_code,
        (Step.EMAIL_CODE_JUDGED,),
        1,
        "SELECT count(*) FROM sessions WHERE account_id = :id",
    ),
    "authenticator code": (
        authenticator_code,
        (Step.AUTHENTICATOR_CODE_JUDGED,),
        1,
        "SELECT count(*) - 1 FROM sessions WHERE account_id = :id",
    ),
    "setup": (
        setup,
        (Step.SETUP_CODE_JUDGED, Step.AUTHENTICATOR_ON),
        3,
        "SELECT generation - 1 FROM second_factors WHERE account_id = :id",
    ),
    "regeneration": (
        regeneration,
        (Step.REGENERATION_CHARGED, Step.BACKUP_CODE_REGENERATED),
        4,
        "SELECT generation - 1 FROM second_factors WHERE account_id = :id",
    ),
    "removal": (
        removal,
        (Step.REMOVAL_CHARGED, Step.AUTHENTICATOR_OFF),
        3,
        "SELECT count(*) FROM outbox WHERE account_id = :id AND kind = 'authenticator-off'",
    ),
    "creation": (
        creation,
        (Step.ACCOUNT_CREATED,),
        4,
        """
        SELECT count(*) FROM account_emails WHERE email =
            (SELECT 'second-' || email FROM accounts WHERE account_id = :id)
        """,
    ),
}


def same(first: object, second: object) -> bool:
    """Whether two answers are one answer, given twice."""
    match first, second:
        case SignedIn(), SignedIn():
            return first.session_token == second.session_token and second.replayed
        case ShownBackupCode(), ShownBackupCode():
            return first.backup_code == second.backup_code and second.replayed
    return first == second


async def check_it_is_done_once(house: House, owner: Owner, call: Call, trace: str) -> None:
    """The repeated call is answered, and answered the same again; what it changes was changed once."""
    answer = await call()
    assert same(answer, await call())
    await house.quiet()
    assert await house.first(trace, owner) == 1


@pytest.mark.parametrize("change", CHANGES)
async def test_a_client_that_hangs_up_at_any_await(house: House, change: str) -> None:
    prepare, _, awaits, trace = CHANGES[change]
    for n in range(1, awaits + 1):
        owner, call = await prepare(house)
        assert await hung_up_at(call(), n) is None
        await house.quiet()
        await check_it_is_done_once(house, owner, call, trace)


@pytest.mark.parametrize("change", [change for change in CHANGES if change != "removal"])
async def test_it_waits_so_often_and_no_more(house: House, change: str) -> None:
    """So the test above is complete. (The answer of a removal is nothing, which looks like a hang-up.)"""
    prepare, _, awaits, _ = CHANGES[change]
    _, call = await prepare(house)
    assert await hung_up_at(call(), awaits + 1) is not None


@pytest.mark.parametrize("change", CHANGES)
async def test_a_server_that_dies_at_any_point(house: House, change: str) -> None:
    prepare, steps, _, trace = CHANGES[change]
    for step in steps:
        for point in (step.before, step.uncommitted, step.committed):
            owner, call = await prepare(house)
            await died_at(house, point, call)
            await check_it_is_done_once(house, owner, call, trace)
