"""A refused call leaves nothing in the database except the attempt that it was counted as."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.support.factories import AccountFactory, Owner
from tests.support.rpc import Refused
from tests.support.steps import STEP, from_network, report_token, sign_in_by_backup_code, wrong_digits
from tests.support.tables import Row, of_account
from twofactor_server.postgres import EmbeddedPostgres

Tables = dict[str, list[Row]]
Refusals = AsyncIterator[Awaitable[object]]
KEYS = {
    "accounts": ("account_id",), "second_factors": ("account_id",), "challenges": ("challenge_id",),
    "sessions": ("session_id",), "audit_events": ("event_id",), "outbox": ("message_id",),
    "email_codes": ("challenge_id", "number"), "replies": ("scope_id", "request_id"),
    "spent_backup_codes": ("generation",), "authenticator_setups": ("setup_id",), "account_emails": ("email",),
    "backup_code_attempts": ("challenge_id", "fingerprint"), "reauthentication_attempts": ("session_id", "fingerprint"),
    "account_creations": ("request_id",), "mailed_links": ("link_id",), "identities": ("identity_id",),
    "identity_owners": ("issuer", "subject"), "second_factor_failures": ("failure_id",),
}  # fmt: skip


def changes(before: Tables, after: Tables) -> set[str]:
    """The differences: ``table+`` for a new row, ``table-`` for a deleted one, ``table.column`` for a changed value."""
    found = set()
    for table in before.keys() | after.keys():
        old = {tuple(row[key] for key in KEYS[table]): row for row in before.get(table, [])}
        new = {tuple(row[key] for key in KEYS[table]): row for row in after.get(table, [])}
        found |= {f"{table}+" for _ in new.keys() - old.keys()} | {f"{table}-" for _ in old.keys() - new.keys()}
        for key in old.keys() & new.keys():
            found |= {f"{table}.{column}" for column in old[key] if old[key][column] != new[key][column]}
    return found


async def malformed(factory: AccountFactory, owner: Owner) -> Refusals:
    challenge = await factory.challenge_for(owner)
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code="too short")
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code="12345")
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id="not a uuid")


async def another_method(factory: AccountFactory, owner: Owner) -> Refusals:
    challenge = await factory.challenge_for(owner)
    yield factory.rpc.SendEmailCode(challenge_token=challenge)
    yield factory.rpc.VerifyEmailCode(challenge_token=challenge, code="123456")


async def expired(factory: AccountFactory, owner: Owner) -> Refusals:
    challenge = await factory.challenge_for(owner)
    factory.clock.advance(timedelta(minutes=10))
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(factory.clock.now))


async def exhausted(factory: AccountFactory, owner: Owner) -> Refusals:
    challenge = await factory.challenge_for(owner)
    for number in range(5):
        with pytest.raises(Refused):
            await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=f"abcd 1234 ef56 789{number}")
    factory.clock.advance(STEP)
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code="abcd 1234 ef56 7890")
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(factory.clock.now))


async def consumed(factory: AccountFactory, owner: Owner) -> Refusals:
    challenge, request_id = await factory.challenge_for(owner), str(uuid4())
    shown = await factory.rpc.UseBackupCode(
        challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id
    )
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    yield factory.rpc.UseBackupCode(
        challenge_token=challenge, backup_code=shown.new_backup_code.code, request_id=request_id
    )


async def throttled(factory: AccountFactory, owner: Owner) -> Refusals:
    challenge = await factory.challenge_for(owner)
    for _ in range(5):
        with pytest.raises(Refused):
            await factory.rpc.VerifyAuthenticatorCode(
                challenge_token=challenge, code=owner.wrong_code_at(factory.clock.now)
            )
    challenge = await factory.challenge_for(owner)
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code="123456")


async def over_budget(factory: AccountFactory, owner: Owner) -> Refusals:
    here = from_network(1)
    # All challenges are opened before the first guess: the guesses suspend the first factor, open challenges continue.
    *guessed, challenge = [await factory.asserted_challenge_for(owner, client=here) for _ in range(7)]
    for number in range(30):
        with pytest.raises(Refused):
            await factory.rpc.UseBackupCode(
                challenge_token=guessed[number // 5], backup_code=f"{number:016d}", client=here
            )
    yield factory.rpc.UseBackupCode(
        challenge_token=challenge, backup_code=owner.backup_code, request_id=str(uuid4()), client=here
    )


async def suspended(factory: AccountFactory, owner: Owner) -> Refusals:
    for number in range(20):
        if number % 5 == 0:
            challenge = await factory.asserted_challenge_for(owner)
        with pytest.raises(Refused):
            await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=f"{number:016d}")
    yield factory.challenge_for(owner)


async def not_reauthenticated(factory: AccountFactory, owner: Owner) -> Refusals:
    yield factory.rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=7)
    yield factory.rpc.ConfirmAuthenticatorSetup(session_token=owner.session_token, setup_id=str(uuid4()), code="123456")
    started = await factory.rpc.StartAuthenticatorSetup(**owner.by_password())
    yield factory.rpc.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=started.setup_id, code="12345"
    )
    for method in ("RegenerateBackupCode", "RemoveAuthenticator", "StartAuthenticatorSetup"):
        yield getattr(factory.rpc, method)(session_token=owner.session_token)


async def signed_out(factory: AccountFactory, owner: Owner) -> Refusals:
    await factory.rpc.SignOut(session_token=owner.session_token)
    yield factory.rpc.GetSession(session_token=owner.session_token)
    yield factory.rpc.RegenerateBackupCode(**owner.by_password())
    yield factory.rpc.StartAuthenticatorSetup(**owner.by_password())
    yield factory.rpc.RemoveAuthenticator(**owner.by_password())
    yield factory.rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=1)


async def email_budget_exhausted(factory: AccountFactory, owner: Owner) -> Refusals:
    await factory.rpc.RemoveAuthenticator(**owner.by_password())
    for number in range(9):
        challenge = await factory.challenge_for(owner, client=from_network(number))
    yield factory.rpc.SendEmailCode(challenge_token=challenge)
    yield factory.challenge_for(owner, client=from_network(10))


async def invalid_links(factory: AccountFactory, owner: Owner) -> Refusals:
    notice = await factory.mailbox.link(owner.email, "authenticator-on", "not-me")
    yield report_token(factory, notice, "short")
    yield report_token(factory, notice[:-4] + ("AAAA" if notice[-4:] != "AAAA" else "BBBB"))
    yield factory.rpc.ConfirmEmailChange(token=notice)
    factory.clock.advance(timedelta(days=7))
    yield report_token(factory, notice)


async def wrong_app_code(factory: AccountFactory, owner: Owner) -> Refusals:
    challenge = await factory.challenge_for(owner)
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.wrong_code_at(factory.clock.now))


async def used_app_code(factory: AccountFactory, owner: Owner) -> Refusals:
    yield factory.rpc.VerifyAuthenticatorCode(
        challenge_token=await factory.challenge_for(owner), code=owner.code_at(factory.clock.now)
    )


async def wrong_backup_code(factory: AccountFactory, owner: Owner) -> Refusals:
    yield factory.rpc.UseBackupCode(
        challenge_token=await factory.challenge_for(owner), backup_code="abcd 1234 ef56 7890", request_id=str(uuid4())
    )


async def used_backup_code(factory: AccountFactory, owner: Owner) -> Refusals:
    used = owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    yield factory.rpc.UseBackupCode(
        challenge_token=await factory.challenge_for(owner), backup_code=used, request_id=str(uuid4())
    )


async def wrong_password(factory: AccountFactory, owner: Owner) -> Refusals:
    yield factory.rpc.RegenerateBackupCode(**owner.by_password(password="not the password"), request_id=str(uuid4()))


async def wrong_setup_code(factory: AccountFactory, owner: Owner) -> Refusals:
    started = await factory.rpc.StartAuthenticatorSetup(**owner.by_password())
    yield factory.rpc.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=started.setup_id, code="000000"
    )


async def wrong_email_code(factory: AccountFactory, owner: Owner) -> Refusals:
    await factory.rpc.RemoveAuthenticator(**owner.by_password())
    challenge = await factory.challenge_for(owner)
    code = await factory.mailbox.code(owner.email, 2)
    yield factory.rpc.VerifyEmailCode(challenge_token=challenge, code=wrong_digits(code), request_id=str(uuid4()))


async def superseded_email_code(factory: AccountFactory, owner: Owner) -> Refusals:
    await factory.rpc.RemoveAuthenticator(**owner.by_password())
    challenge = await factory.challenge_for(owner)
    code = await factory.mailbox.code(owner.email, 2)
    await factory.rpc.SendEmailCode(challenge_token=challenge)
    yield factory.rpc.VerifyEmailCode(challenge_token=challenge, code=code, request_id=str(uuid4()))


async def expired_email_code(factory: AccountFactory, owner: Owner) -> Refusals:
    await factory.rpc.RemoveAuthenticator(**owner.by_password())
    challenge = await factory.challenge_for(owner)
    code = await factory.mailbox.code(owner.email, 2)
    factory.clock.advance(timedelta(minutes=5))
    yield factory.rpc.VerifyEmailCode(challenge_token=challenge, code=code, request_id=str(uuid4()))


NOTHING: set[str] = set()
FAILURE = ("second_factor_failures+", "audit_events+")
CASES: list[tuple[Callable[[AccountFactory, Owner], Refusals], set[str]]] = [
    *((story, NOTHING) for story in (malformed, another_method, expired, exhausted, consumed, throttled, over_budget,
                                     not_reauthenticated, signed_out, email_budget_exhausted, invalid_links)),
    (suspended, {"audit_events+"}),
    (wrong_app_code, {"challenges.attempts", "second_factors.authenticator_failures", *FAILURE}),
    (used_app_code, {"audit_events+"}),
    (wrong_backup_code, {"challenges.attempts", "backup_code_attempts+", *FAILURE}),
    (used_backup_code, {"challenges.attempts", "backup_code_attempts+", "audit_events+"}),
    (wrong_setup_code, {"authenticator_setups.attempts", "audit_events+"}),
    (wrong_email_code, {"challenges.attempts", "second_factors.email_code_failures", *FAILURE}),
    (superseded_email_code, {"challenges.attempts", *FAILURE}),
    (expired_email_code, {"audit_events+"}),
    (wrong_password, {"reauthentication_attempts+", "audit_events+"}),
]  # fmt: skip


@pytest.mark.parametrize(("story", "left"), CASES, ids=[story.__name__ for story, _ in CASES])
async def test_a_refusal_leaves_only_its_attempt(
    factory: AccountFactory,
    postgres: EmbeddedPostgres,
    story: Callable[[AccountFactory, Owner], Refusals],
    left: set[str],
) -> None:
    """All rows of the account before and after: only the counted attempt and its audit event differ, and nothing if
    nothing was verified.

    Seen to fail with the refusal over budget returned instead of raised, so that its transaction commits.
    """
    owner = await factory.account_with_authenticator()
    async for call in story(factory, owner):
        before = await of_account(postgres.url, owner.account_id)
        with pytest.raises(Refused):
            await call
        assert changes(before, await of_account(postgres.url, owner.account_id)) == left
