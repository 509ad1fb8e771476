"""A deadline that has passed: the step that was due is not begun, and nothing that was charged is charged again."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from tests.flows.house import BY_PASSWORD, PASSWORD, House, Owner
from twofactor_server.domain.calls import Call, DeadlinePassed
from twofactor_server.domain.first_factors import PasswordCredential
from twofactor_server.flows.steps import Step

Flow = Callable[[House, Owner, Call, str], Awaitable[object]]

FLOWS: dict[str, Flow] = {
    "StartSignIn": lambda house, owner, call, _: house.sign_in.start(
        call, PasswordCredential(owner.email, PASSWORD), remember_me=False
    ),
    "UseBackupCode": lambda house, owner, call, challenge: house.backup_codes.use(
        call, challenge, owner.backup_code, None
    ),
    "VerifyAuthenticatorCode": lambda house, _, call, challenge: house.authenticator_codes.verify(
        call, challenge, "000000", None
    ),
    "RegenerateBackupCode": lambda house, owner, call, _: house.regeneration.regenerate(
        call, owner.session_token, BY_PASSWORD, None
    ),
    "StartAuthenticatorSetup": lambda house, owner, call, _: house.setups.start(call, owner.session_token, BY_PASSWORD),
    "RemoveAuthenticator": lambda house, owner, call, _: house.removal.remove(call, owner.session_token, BY_PASSWORD),
    "CreateAccount": lambda house, _, call, __: house.accounts.create(call, "late@example.test", PASSWORD, uuid4()),
}
# Everything of an account but its second factor's last step, which only a success changes.
TABLES = (
    "accounts", "second_factors", "spent_backup_codes", "challenges", "backup_code_attempts", "email_codes", "sessions",
    "reauthentication_attempts", "authenticator_setups", "replies", "outbox", "audit_events",
)  # fmt: skip


async def everything(house: House) -> list[object]:
    """All rows of all tables."""
    await house.quiet()
    return [await house.ask(f"SELECT t::text FROM {table} t ORDER BY 1") for table in TABLES]  # noqa: S608


@pytest.mark.parametrize("flow", FLOWS)
async def test_past_the_deadline_nothing_is_begun(house: House, flow: str) -> None:
    """Nobody waits for the answer: no row is written, and nothing is hashed."""
    owner = await house.owner_with_authenticator()
    challenge = await house.challenge(owner)
    before, operations = await everything(house), house.hashing.argon2id.operations
    with pytest.raises(DeadlinePassed):
        await FLOWS[flow](house, owner, house.call(seconds=0), challenge)
    assert await everything(house) == before
    assert house.hashing.argon2id.operations == operations


async def test_a_use_whose_deadline_passes_after_its_charge_hashes_nothing_and_retries_for_free(house: House) -> None:
    owner = await house.owner_with_authenticator()
    challenge = await house.challenge(owner)
    operations = house.hashing.argon2id.operations
    call = house.call(seconds=0.5)

    def reached(point: str) -> None:
        if point == Step.BACKUP_CODE_CHARGED.committed:
            # The caller's time is up; the charge is not undone.
            object.__setattr__(call, "deadline", 0.0)

    house.reached = reached
    with pytest.raises(DeadlinePassed):
        await house.backup_codes.use(call, challenge, owner.backup_code, None)
    assert house.hashing.argon2id.operations == operations
    house.reached = lambda _: None
    signed_in = await house.backup_codes.use(house.call(), challenge, owner.backup_code, None)
    assert signed_in.new_backup_code is not None
    assert await house.first("SELECT max(attempts) FROM challenges WHERE account_id = :id", owner) == 1
