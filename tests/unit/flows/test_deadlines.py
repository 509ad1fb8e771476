"""After the deadline no transaction is begun, and what was charged is not charged again."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest

from tests.unit.flows.harness import BY_PASSWORD, PASSWORD, FlowHarness, Owner
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call, DeadlinePassed
from twofactor_server.domain.first_factors import PasswordCredential
from twofactor_server.flows.transactions import TransactionName

Flow = Callable[[FlowHarness, Owner, Call, Token], Awaitable[object]]

FLOWS: dict[str, Flow] = {
    "StartSignIn": lambda harness, owner, call, _: harness.sign_in.start(
        call, PasswordCredential(owner.email, PASSWORD), remember_me=False
    ),
    "UseBackupCode": lambda harness, owner, call, challenge: harness.backup_codes.use(
        call, challenge, owner.backup_code, None
    ),
    "VerifyAuthenticatorCode": lambda harness, _, call, challenge: harness.authenticator_codes.verify(
        call, challenge, "000000", None
    ),
    "RegenerateBackupCode": lambda harness, owner, call, _: harness.regeneration.regenerate(
        call, owner.session, BY_PASSWORD, None
    ),
    "StartAuthenticatorSetup": lambda harness, owner, call, _: harness.setups.start(call, owner.session, BY_PASSWORD),
    "RemoveAuthenticator": lambda harness, owner, call, _: harness.removal.remove(call, owner.session, BY_PASSWORD),
    "CreateAccount": lambda harness, _, call, __: harness.accounts.create(call, "late@example.test", PASSWORD, uuid4()),
}
TABLES = (
    "accounts", "second_factors", "spent_backup_codes", "challenges", "backup_code_attempts", "email_codes", "sessions",
    "reauthentication_attempts", "authenticator_setups", "replies", "outbox", "audit_events",
)  # fmt: skip


async def all_rows(harness: FlowHarness) -> list[object]:
    """All rows of all tables."""
    return [await harness.query(f"SELECT t::text FROM {table} t ORDER BY 1") for table in TABLES]  # noqa: S608


@pytest.mark.parametrize("flow", FLOWS)
async def test_after_the_deadline_nothing_is_written_or_hashed(harness: FlowHarness, flow: str) -> None:
    owner = await harness.account_with_authenticator()
    challenge = await harness.challenge(owner)
    before, operations = await all_rows(harness), harness.hashing.argon2id.operations
    with pytest.raises(DeadlinePassed):
        await FLOWS[flow](harness, owner, harness.call(seconds=0), challenge)
    assert await all_rows(harness) == before
    assert harness.hashing.argon2id.operations == operations


async def test_a_deadline_after_the_charge_saves_the_hashing_and_the_retry_is_free(harness: FlowHarness) -> None:
    owner = await harness.account_with_authenticator()
    challenge = await harness.challenge(owner)
    operations = harness.hashing.argon2id.operations
    call = harness.call(seconds=0.5)

    def expire(point: str) -> None:
        if point == TransactionName.BACKUP_CODE_CHARGED.committed:
            call.deadline = 0.0

    harness.crash_hook = expire
    with pytest.raises(DeadlinePassed):
        await harness.backup_codes.use(call, challenge, owner.backup_code, None)
    assert harness.hashing.argon2id.operations == operations
    harness.crash_hook = lambda _: None
    signed_in = await harness.backup_codes.use(harness.call(), challenge, owner.backup_code, None)
    assert signed_in.new_backup_code is not None
    assert await harness.query_value("SELECT max(attempts) FROM challenges WHERE account_id = :p_id", owner) == 1
