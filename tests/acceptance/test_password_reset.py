"""Password reset by an e-mailed link: it reveals nothing, and does not replace the second factor."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner, unused_email
from tests.support.mailbox import Mailbox
from tests.support.rpc import CLIENT, Rpc, refused
from tests.support.steps import (
    NEW_PASSWORD,
    change_password,
    complete_password_reset,
    emailed_reset_token,
    from_network,
    request_reset_token,
    sign_in_by_backup_code,
)
from tests.support.tables import audit, of_account, query, rows
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

HOUR = timedelta(hours=1)


async def sign_in_again(factory: AccountFactory, owner: Owner) -> Owner:
    """With the new password and another mailed code."""
    owner = replace(owner, password=NEW_PASSWORD)
    challenge = await factory.challenge_for(owner)
    signed_in = await factory.rpc.VerifyEmailCode(
        challenge_token=challenge, code=await factory.mailbox.code(owner.email, 2)
    )
    return replace(owner, session_token=signed_in.session_token)


async def test_a_reset_sets_the_password_and_revokes_access(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox
) -> None:
    """ "All sessions end, open challenges are void. It signs nobody in and spares nobody the second factor." """
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    await rpc.StartPasswordReset(email=owner.email.upper())
    token = await emailed_reset_token(factory, owner.email)
    await rpc.GetSession(session_token=owner.session_token)
    await complete_password_reset(factory, token)
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=owner.session_token)
    with refused("CHALLENGE_EXPIRED"):
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)
    owner.password = NEW_PASSWORD
    shown = (await rpc.GetChallenge(challenge_token=await factory.challenge_for(owner))).challenge
    assert shown.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    await sign_in_by_backup_code(factory, owner)
    await mailbox.wait_for(owner.email, "password-changed")


async def test_a_request_changes_nothing(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    owner = await factory.signed_in_account()
    before = await of_account(postgres.url, owner.account_id)
    await request_reset_token(factory, owner.email)
    after = await of_account(postgres.url, owner.account_id)
    new = {table for table in after if after[table] != before.get(table)}
    assert new == {"mailed_links", "outbox", "audit_events"}
    await factory.challenge_for(owner)


async def test_a_link_works_once(factory: AccountFactory, mailbox: Mailbox, clock: Clock) -> None:
    """A retry with the same password succeeds within the link's hour; with another password it is LINK_INVALID."""
    owner = await factory.signed_in_account()
    token = await request_reset_token(factory, owner.email)
    for _ in range(3):
        await complete_password_reset(factory, token)
    with refused("LINK_INVALID"):
        await complete_password_reset(factory, token, "something else again")
    await mailbox.wait_for(owner.email, "password-changed")
    assert len(mailbox.to(owner.email, "password-changed")) == 1
    clock.advance(HOUR)
    with refused("LINK_INVALID"):
        await complete_password_reset(factory, token)


async def test_a_link_expires_after_an_hour(factory: AccountFactory, clock: Clock) -> None:
    owner = await factory.signed_in_account()
    token = await request_reset_token(factory, owner.email)
    clock.advance(HOUR)
    with refused("LINK_INVALID"):
        await complete_password_reset(factory, token)


async def test_only_the_newest_link_works(factory: AccountFactory) -> None:
    """ "The links mailed before are void", and a password change voids a pending link."""
    owner = await factory.signed_in_account()
    first, second = await request_reset_token(factory, owner.email), await request_reset_token(factory, owner.email, 2)
    with refused("LINK_INVALID"):
        await complete_password_reset(factory, first)
    await complete_password_reset(factory, second)
    third = await request_reset_token(factory, owner.email, 3)
    owner = await sign_in_again(factory, owner)
    await change_password(factory, owner, "something else again")
    with refused("LINK_INVALID"):
        await complete_password_reset(factory, third)


async def test_invalid_tokens(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """A link belongs to one account and one purpose. A token of another kind is INVALID_FIELD."""
    owner, attacker = await factory.signed_in_account(), await factory.account()
    token, theirs = await request_reset_token(factory, owner.email), await request_reset_token(factory, attacker.email)
    await query(
        postgres.url,
        "UPDATE mailed_links SET purpose = 'not-me' WHERE account_id = $1::text::uuid", attacker.account_id,
    )  # fmt: skip
    for other in (theirs, theirs[:26] + token[26:], token[:26] + theirs[26:]):
        with refused("LINK_INVALID"):
            await complete_password_reset(factory, other)
    for other in (owner.session_token, token[4:], token[:-1], f"{token}A", "tfr_"):
        with refused("INVALID_FIELD") as refusal:
            await complete_password_reset(factory, other)
        assert refusal.value.fields == ("reset_token",)
    await complete_password_reset(factory, token)


async def test_a_rejected_password_keeps_the_link(factory: AccountFactory) -> None:
    owner = await factory.signed_in_account()
    token = await request_reset_token(factory, owner.email)
    for new in ("1234567", "password1", owner.email):
        with refused("PASSWORD_REJECTED") as refusal:
            await complete_password_reset(factory, token, new)
        assert refusal.value.fields == ("new_password",)
    await complete_password_reset(factory, token)


async def test_three_emails_per_hour(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """ "Where the budget of 3 such mails per account and hour is spent, nothing is mailed and the answer is still the
    same". The newest link still works, and the budget is separate from others."""
    owner = await factory.account()
    for number in range(5):
        assert (await rpc.StartPasswordReset(email=owner.email, client=from_network(number))).SerializeToString() == b""
    await mailbox.wait_for(owner.email, "password-reset", 3)
    await factory.challenge_for(owner)
    await mailbox.code(owner.email)
    assert len(mailbox.to(owner.email, "password-reset")) == 3
    made = await rows(postgres.url, "mailed_links", owner.account_id)
    assert sorted(link["void_time"] is None for link in made) == [False, False, True]
    clock.advance(HOUR)
    await rpc.StartPasswordReset(email=owner.email)
    await mailbox.wait_for(owner.email, "password-reset", 4)


async def test_an_unknown_address_gets_the_same_answer_and_no_email(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    unknown = unused_email()
    owner = await factory.account()
    for email in (unknown, owner.email):
        assert (await rpc.StartPasswordReset(email=email)).SerializeToString() == b""
    await emailed_reset_token(factory, owner.email)
    assert mailbox.to(unknown) == []
    waiting = "SELECT count(*) FROM outbox WHERE payload IS NOT NULL AND kind = 'password-reset'"
    assert (await query(postgres.url, waiting))[0][0] == 0


async def test_a_reset_clears_waits_and_keeps_authenticator_failures(
    factory: AccountFactory, rpc: Rpc, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    """The consecutive failures of the authenticator stay, otherwise a reader of the mailbox could guess without limit.
    The next wrong code waits accordingly."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    for _ in range(5):
        with refused("CODE_MISMATCH"):
            await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.wrong_code_at(clock.now))
    await complete_password_reset(factory, await request_reset_token(factory, owner.email))
    owner.password = NEW_PASSWORD
    challenge = await factory.challenge_for(owner)
    assert list((await rpc.GetChallenge(challenge_token=challenge)).challenge.waits) == []
    with refused("CODE_MISMATCH"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.wrong_code_at(clock.now))
    with refused("ATTEMPTS_THROTTLED") as refusal:
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.wrong_code_at(clock.now))
    assert refusal.value.retry_after == 60
    (factor,) = await rows(postgres.url, "second_factors", owner.account_id)
    assert factor["authenticator_failures"] == 6


async def test_a_reset_clears_first_factor_waits(factory: AccountFactory) -> None:
    owner = await factory.signed_in_account()
    owner.password = "not the password"
    for _ in range(5):
        with refused("CREDENTIALS_MISMATCH"):
            await factory.challenge_for(owner)
    with refused("ATTEMPTS_THROTTLED"):
        await factory.challenge_for(owner)
    await complete_password_reset(factory, await request_reset_token(factory, owner.email))
    owner.password = NEW_PASSWORD
    await factory.challenge_for(owner)


async def test_a_reset_lifts_a_suspension_and_keeps_the_authenticator_disabled(
    factory: AccountFactory, rpc: Rpc, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    owner = await factory.account_with_authenticator()
    for statement in (
        "UPDATE second_factors SET authenticator_disabled = true, authenticator_failures = 100"
        " WHERE account_id = $1::text::uuid",
        "UPDATE accounts SET suspend_time = now() WHERE account_id = $1::text::uuid",
    ):
        await query(postgres.url, statement, owner.account_id)
    await complete_password_reset(factory, await request_reset_token(factory, owner.email))
    (row,) = await rows(postgres.url, "accounts", owner.account_id)
    assert row["suspend_time"] is None
    owner.password = NEW_PASSWORD
    challenge = await factory.challenge_for(owner)
    with refused("AUTHENTICATOR_DISABLED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(clock.now))
    await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)


async def test_a_reset_removes_the_credentials_of_an_unverified_creator(
    factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres
) -> None:
    """An attacker created the account with somebody's address: the reset proves the address, and the attacker's
    password and identity no longer work. If the address was verified before, identities stay."""
    for proved in (False, True):
        owner = await (factory.signed_in_account() if proved else factory.account())
        subject = uuid4().hex
        for statement in (
            "INSERT INTO identities VALUES ($1::text::uuid, gen_random_uuid(), 'google', 'https://id.example', $2,"
            " 'x@example.test', now())",
            "INSERT INTO identity_owners VALUES ('https://id.example', $2, $1::text::uuid)",
        ):
            await query(postgres.url, statement, owner.account_id, subject)
        assert (await rpc.GetAccount(account_id=owner.account_id)).account.email_verified is proved
        await complete_password_reset(factory, await request_reset_token(factory, owner.email))
        assert (await rpc.GetAccount(account_id=owner.account_id)).account.email_verified
        with refused("CREDENTIALS_MISMATCH"):
            await factory.challenge_for(owner)
        left = await rows(postgres.url, "identity_owners", owner.account_id)
        assert [row["subject"] for row in left] == ([subject] if proved else [])
        assert len(await rows(postgres.url, "identities", owner.account_id)) == len(left)


async def test_a_reset_adds_a_password(factory: AccountFactory, rpc: Rpc) -> None:
    owner = await factory.account_without_password()
    await complete_password_reset(factory, await request_reset_token(factory, owner.email))
    assert (await rpc.GetAccount(account_id=owner.account_id)).account.has_password


async def test_a_closed_account_gets_no_reset(factory: AccountFactory, rpc: Rpc, postgres: EmbeddedPostgres) -> None:
    """Closed before the request: nothing is sent. Closed afterwards: the link is invalid."""
    owner = await factory.signed_in_account()
    token = await request_reset_token(factory, owner.email)
    await query(
        postgres.url, "UPDATE accounts SET close_time = now() WHERE account_id = $1::text::uuid", owner.account_id
    )
    with refused("LINK_INVALID"):
        await complete_password_reset(factory, token)
    assert (await rpc.StartPasswordReset(email=owner.email)).SerializeToString() == b""
    assert len(await rows(postgres.url, "mailed_links", owner.account_id)) == 1


async def test_a_reset_is_audited(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    owner = await factory.signed_in_account()
    await complete_password_reset(factory, await request_reset_token(factory, owner.email))
    done = {(row["action"], row["outcome"], row["ip_address"]) for row in await audit(postgres.url, owner.account_id)}
    for action in ("start_password_reset", "reset_password"):
        assert (action, "success", CLIENT.ip_address) in done
