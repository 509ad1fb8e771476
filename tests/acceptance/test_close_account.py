"""Closed accounts behave like accounts that never existed, and none of their credentials work."""

from uuid import uuid4

import pytest

from tests.support.clock import Clock
from tests.support.factories import PASSWORD, AccountFactory, Owner, unused_email
from tests.support.identity_steps import create_account_by, new_subject
from tests.support.mailbox import Mailbox
from tests.support.rpc import Refused, Rpc, refused
from tests.support.steps import (
    STEP,
    email_change_token,
    move_to_email,
    report_token,
    sign_in_by_backup_code,
    sign_in_by_email,
)
from tests.support.tables import audit, query, rows
from twofactor_server.postgres import EmbeddedPostgres

UNKNOWN_ACCOUNT_ID = "00000000-0000-4000-8000-000000000000"


async def close_by_id(factory: AccountFactory, account_id: str) -> None:
    """Close the account as a provisioning caller."""
    await factory.rpc.CloseAccount(account_id=account_id)


async def full_account(factory: AccountFactory, postgres: EmbeddedPostgres) -> Owner:
    """An account with data in every table."""
    owner = await factory.account_with_authenticator()
    await sign_in_by_backup_code(factory, owner, "0f7d0b52-7c39-4a3c-9f44-3b8f0e4ad001")
    await factory.rpc.StartAuthenticatorSetup(**owner.by_password())
    await factory.rpc.ChangeEmail(**owner.by_password(), new_email=unused_email())
    for statement in (
        "INSERT INTO identities "
        "VALUES ($1::text::uuid, gen_random_uuid(), 'google', 'https://idp.example', $1::text, '', now())",
        "INSERT INTO identity_owners VALUES ('https://idp.example', $1::text, $1::text::uuid)",
    ):
        await query(postgres.url, statement, owner.account_id)
    return owner


@pytest.mark.parametrize("by", ["session", "account_id"])
async def test_closing_erases_secrets_and_keeps_the_audit_trail(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres, by: str
) -> None:
    """Its secrets are erased and its address and identity are free. The audit events and the spent backup codes stay.
    Sessions are ended and challenges void."""
    owner = await full_account(factory, postgres)
    await factory.challenge_for(owner)
    before = await audit(postgres.url, owner.account_id)
    if by == "session":
        await rpc.CloseAccount(**owner.by_password())
    else:
        await close_by_id(factory, owner.account_id)
    held = {}
    for table in ("accounts", "second_factors", "sessions", "challenges", "replies", "authenticator_setups",
                  "identities", "identity_owners", "account_emails", "mailed_links", "spent_backup_codes"):  # fmt: skip
        held[table] = await rows(postgres.url, table, owner.account_id)
    (row,), (factor,) = held["accounts"], held["second_factors"]
    assert row["close_time"] is not None
    assert (row["password_hash"], row["suspend_time"]) == (None, None)
    assert (factor["method"], factor["totp_secret"], factor["backup_code_hash"]) == ("email", None, None)
    assert factor["generation"] == 2
    for table in ("identities", "identity_owners", "account_emails", "mailed_links"):
        assert held[table] == [], table
    assert all(one["end_time"] for one in held["sessions"])
    assert all(one["void_time"] or one["complete_time"] for one in held["challenges"])
    assert all(one["sealed"] is None for one in held["replies"])
    assert all(one["totp_secret"] is None for one in held["authenticator_setups"])
    assert len(held["spent_backup_codes"]) == 1
    trail = await audit(postgres.url, owner.account_id)
    (closed,) = [event for event in trail if event not in before]
    assert len(trail) == len(before) + 1
    assert (closed["action"], closed["outcome"]) == ("close_account", "success")
    await mailbox.wait_for(owner.email, "account-closed")


async def test_a_closed_account_is_not_found(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """Every sign-in, read and link answers as for an account that never existed, or as for an expired session or
    link."""
    owner, new = await factory.account_with_authenticator(), unused_email()
    await rpc.ChangeEmail(**owner.by_password(), new_email=new)
    confirm = await email_change_token(factory, new)
    not_me = await mailbox.link(owner.email, "authenticator-on", "not-me")
    challenge = await factory.challenge_for(owner)
    await rpc.CloseAccount(**owner.by_password())
    for call, reason in (
        (factory.challenge_for(owner), "CREDENTIALS_MISMATCH"),
        (factory.asserted_challenge_for(owner), "ACCOUNT_NOT_FOUND"),
        (rpc.GetAccount(account_id=owner.account_id), "ACCOUNT_NOT_FOUND"),
        (rpc.GetAccount(email=owner.email), "ACCOUNT_NOT_FOUND"),
        (rpc.GetSession(session_token=owner.session_token), "SESSION_ENDED"),
        (rpc.GetTwoFactor(session_token=owner.session_token), "SESSION_ENDED"),
        (rpc.RegenerateBackupCode(**owner.by_password()), "SESSION_ENDED"),
        (rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code), "CHALLENGE_EXPIRED"),
        (report_token(factory, not_me), "LINK_INVALID"),
        (rpc.ConfirmEmailChange(token=confirm), "LINK_INVALID"),
    ):
        with refused(reason):
            await call


async def test_a_sign_in_to_a_closed_account_is_like_an_unknown_address(factory: AccountFactory, rpc: Rpc) -> None:
    """The refusals are identical to the byte."""
    owner = await factory.signed_in_account()
    await rpc.CloseAccount(**owner.by_password())

    async def refusal_of(email: str) -> bytes:
        with pytest.raises(Refused) as caught:
            await factory.challenge_for(Owner(email, ""))
        return caught.value.content

    assert await refusal_of(owner.email) == await refusal_of(unused_email())


async def test_closing_twice(factory: AccountFactory, rpc: Rpc, clock: Clock, postgres: EmbeddedPostgres) -> None:
    """ "A closed one is OK", by its id and by the session that closed it, with one e-mail. A session that was signed
    out before is SESSION_ENDED, and an unknown account is not found."""
    owner = await factory.account()
    earlier = (await sign_in_by_email(factory, owner, 1)).session_token
    await rpc.SignOut(session_token=earlier)
    clock.advance(STEP)
    owner.session_token = (await sign_in_by_email(factory, owner, 2)).session_token
    for _ in range(2):
        await rpc.CloseAccount(**owner.by_password())
        await close_by_id(factory, owner.account_id)
    owner.session_token = earlier
    with refused("SESSION_ENDED"):
        await rpc.CloseAccount(**owner.by_password())
    with refused("ACCOUNT_NOT_FOUND"):
        await close_by_id(factory, UNKNOWN_ACCOUNT_ID)
    outbox = await rows(postgres.url, "outbox", owner.account_id)
    assert [row["kind"] for row in outbox].count("account-closed") == 1


async def test_closing_requires_reauthentication(factory: AccountFactory, rpc: Rpc) -> None:
    """By a session, with a re-authentication. If neither session nor account is given, the refusal names the field."""
    owner = await factory.account_with_authenticator()
    with refused("REAUTHENTICATION_REQUIRED"):
        await rpc.CloseAccount(session_token=owner.session_token)
    with refused("REAUTHENTICATION_FAILED"):
        await rpc.CloseAccount(**owner.by_password(password="not the password"))
    with refused("INVALID_FIELD") as refusal:
        await rpc.CloseAccount()
    assert refusal.value.fields == ("session_token",)
    await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code)


async def test_the_addresses_are_free_after_closing(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """For another account, which inherits nothing. Previous addresses are free as well, and are notified."""
    owner = await factory.signed_in_account()
    old = await move_to_email(factory, owner, unused_email())
    await rpc.CloseAccount(**owner.by_password())
    for address in (old, owner.email):
        await mailbox.wait_for(address, "account-closed")
        created = (await rpc.CreateAccount(email=address, password=PASSWORD)).account
        assert created.account_id != owner.account_id
        assert not created.email_verified


async def test_retrying_the_creation_does_not_reopen_the_account(factory: AccountFactory, rpc: Rpc) -> None:
    for password in (PASSWORD, ""):
        create = {"email": unused_email(), "password": password, "request_id": str(uuid4())}
        made = (await rpc.CreateAccount(**create)).account
        await close_by_id(factory, made.account_id)
        with refused("REQUEST_ID_REUSED"):
            await rpc.CreateAccount(**create)


async def test_retrying_the_creation_by_an_identity_does_not_reopen_the_account(factory: AccountFactory) -> None:
    """Fails if the retry does not check whether the account was closed."""
    credential, request_id = factory.openid.signed_in(new_subject()), str(uuid4())
    made = await create_account_by(factory, credential, request_id)
    await close_by_id(factory, made.account_id)
    with refused("REQUEST_ID_REUSED"):
        await create_account_by(factory, credential, request_id)
