"""SetPassword and ChangePassword."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.support.clock import Clock
from tests.support.factories import PASSWORD, AccountFactory, Owner, unused_email
from tests.support.mailbox import Mailbox
from tests.support.rpc import Rpc, refused
from tests.support.steps import NEW_PASSWORD, STEP, change_password, set_password, sign_in_by_app, sign_in_by_email
from tests.support.tables import audit, of_account
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres


async def test_a_change_replaces_the_password(factory: AccountFactory, rpc: Rpc) -> None:
    """ "ChangePassword: the new one works, the old one does not." The second factor is still required."""
    owner = await factory.account_with_authenticator()
    await change_password(factory, owner)
    with refused("CREDENTIALS_MISMATCH"):
        await factory.challenge_for(owner)
    owner.password = NEW_PASSWORD
    shown = (await rpc.GetChallenge(challenge_token=await factory.challenge_for(owner))).challenge
    assert shown.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    await rpc.UseBackupCode(challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code)


async def test_a_change_ends_other_sessions_and_challenges(factory: AccountFactory, rpc: Rpc) -> None:
    """ "The other sessions end and open challenges are void; this session stays." Fails if sessions are not ended, or
    challenges not voided."""
    owner = await factory.account_with_authenticator()
    elsewhere = (await sign_in_by_app(factory, owner, str(uuid4()))).session_token
    challenge = await factory.challenge_for(owner)
    await change_password(factory, owner)
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=elsewhere)
    assert (await rpc.GetSession(session_token=owner.session_token)).session.email == owner.email
    for code in (owner.backup_code, "0" * 16):
        with refused("CHALLENGE_EXPIRED"):
            await rpc.UseBackupCode(challenge_token=challenge, backup_code=code)
    assert (await rpc.GetChallenge(challenge_token=challenge)).challenge.state == types_pb2.CHALLENGE_STATE_EXPIRED


async def test_a_change_erases_replies_of_other_sessions(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """The reply of an ended session is erased; the one of the remaining session stays. Fails if replies are not
    erased."""
    owner = await factory.account_with_authenticator()
    there, here = str(uuid4()), str(uuid4())
    clock.advance(STEP)
    challenge, code = await factory.challenge_for(owner), owner.code_at(clock.now)
    await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code, request_id=there)
    await rpc.RegenerateBackupCode(**owner.by_password(), request_id=here)
    assert (await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code, request_id=there)).replayed
    await change_password(factory, owner)
    with refused("CHALLENGE_CONSUMED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code)
    with refused("REQUEST_ID_EXPIRED"):
        await rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=code, request_id=there)
    assert (await rpc.RegenerateBackupCode(**owner.by_password(), request_id=here)).replayed


async def test_a_retry_succeeds_and_changes_nothing(factory: AccountFactory, postgres: EmbeddedPostgres) -> None:
    """ "Repeated with the same request_id and new password it is OK", although the current password has changed."""
    owner, request_id = await factory.signed_in_account(), str(uuid4())
    await change_password(factory, owner, request_id=request_id)
    before = await of_account(postgres.url, owner.account_id)
    await change_password(factory, owner, request_id=request_id)
    await change_password(factory, owner, request_id=request_id, current="whatever else")
    after = await of_account(postgres.url, owner.account_id)
    assert {**before, "audit_events": []} == {**after, "audit_events": []}
    with refused("REQUEST_ID_REUSED") as refusal:
        await change_password(factory, owner, "something else again", request_id)
    assert refusal.value.fields == ("request_id",)
    with refused("REAUTHENTICATION_FAILED"):
        await change_password(factory, owner)


async def test_five_wrong_passwords_end_the_session(factory: AccountFactory) -> None:
    """ "The current password is charged as a re-authentication is: five wrong ones end the session.\""""
    owner = await factory.signed_in_account()
    for number in range(5):
        with refused("REAUTHENTICATION_FAILED"):
            await change_password(factory, owner, current=f"wrong {number}")
    with refused("SESSION_ENDED"):
        await change_password(factory, owner)
    await factory.challenge_for(owner)


async def test_a_session_older_than_the_authenticator_is_refused(factory: AccountFactory) -> None:
    """ "REAUTHENTICATION_REQUIRED for a session that did not pass the second factor that is active now.\""""
    owner = await factory.signed_in_account()
    early = replace(owner, session_token=(await sign_in_by_email(factory, owner, 2)).session_token)
    await factory.set_up_authenticator(owner)
    with refused("REAUTHENTICATION_REQUIRED"):
        await change_password(factory, early)
    await change_password(factory, owner)


async def test_setting_a_first_password(
    factory: AccountFactory, rpc: Rpc, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """ "SetPassword: gives a password to an account that has none. The other sessions end." """
    owner, request_id = await factory.account_without_password(), str(uuid4())
    challenge = await factory.asserted_challenge_for(owner)
    code = await mailbox.code(owner.email, 2)
    other = (await rpc.VerifyEmailCode(challenge_token=challenge, code=code)).session_token
    assert not (await rpc.GetAccount(account_id=owner.account_id)).account.has_password
    for _ in range(2):
        await set_password(factory, owner, request_id=request_id)
    assert (await rpc.GetAccount(account_id=owner.account_id)).account.has_password
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=other)
    with refused("CONFLICT"):
        await set_password(factory, owner)
    with refused("REQUEST_ID_REUSED"):
        await set_password(factory, owner, "something else again", request_id)
    await factory.challenge_for(replace(owner, password=NEW_PASSWORD))
    mail = await mailbox.newest(owner.email, "password-changed")
    assert len(mailbox.to(owner.email, "password-changed")) == 1
    assert NEW_PASSWORD not in mail.as_string()
    done = [row["action"] for row in await audit(postgres.url, owner.account_id)]
    assert (done.count("set_password"), done.count("replay")) == (1, 1)


async def test_setting_a_first_password_requires_proof(factory: AccountFactory, rpc: Rpc) -> None:
    """An account without a password has no correct password, neither for SetPassword nor for ChangePassword."""
    owner = await factory.account_without_password()
    with refused("REAUTHENTICATION_REQUIRED"):
        await set_password(factory, owner, proof=types_pb2.Reauthentication())
    for attempt in (
        set_password(factory, owner, proof=types_pb2.Reauthentication(password=PASSWORD)),
        change_password(factory, owner, current=PASSWORD),
    ):
        with refused("REAUTHENTICATION_FAILED"):
            await attempt
    assert not (await rpc.GetAccount(account_id=owner.account_id)).account.has_password


Change = Callable[[AccountFactory, Owner, str], Awaitable[None]]


async def create_account(factory: AccountFactory, owner: Owner, new: str) -> None:
    await factory.rpc.CreateAccount(email=owner.email, password=new)


@pytest.mark.parametrize("make", [change_password, set_password, create_account], ids=["change", "set", "create"])
async def test_common_passwords_are_rejected(factory: AccountFactory, postgres: EmbeddedPostgres, make: Change) -> None:
    """PASSWORD_REJECTED names the field and the rule; nothing is charged or changed."""
    owner = await (factory.account_without_password() if make is set_password else factory.signed_in_account())
    if make is create_account:
        owner.email = unused_email()
    before = await of_account(postgres.url, owner.account_id)
    for new in ("1234567", "password1", "password1password1", "twofactor2024", owner.email, owner.email.split("@")[0]):
        with refused("PASSWORD_REJECTED") as refusal:
            await make(factory, owner, new)
        assert refusal.value.fields == ("password" if make is create_account else "new_password",)
        assert refusal.value.metadata["rule"]
        assert new not in str(refusal.value)
    assert await of_account(postgres.url, owner.account_id) == before


async def test_a_change_is_notified_and_audited(
    factory: AccountFactory, mailbox: Mailbox, postgres: EmbeddedPostgres
) -> None:
    """ "Every change is mailed to the owner", never with a password in it. The event has factor and client."""
    owner = await factory.signed_in_account()
    await change_password(factory, owner)
    mail = await mailbox.newest(owner.email, "password-changed")
    assert owner.password not in mail.as_string()
    assert NEW_PASSWORD not in mail.as_string()
    (event,) = [row for row in await audit(postgres.url, owner.account_id) if row["action"] == "change_password"]
    assert (event["outcome"], event["factor"], event["ip_address"]) == ("success", "password", "192.0.2.10")


async def test_an_assertion_for_another_account_is_refused(factory: AccountFactory) -> None:
    owner, other = await factory.account_without_password(), await factory.account()
    with refused("REAUTHENTICATION_FAILED"):
        await set_password(factory, owner, proof=types_pb2.Reauthentication(asserted=factory.assertion(other)))
