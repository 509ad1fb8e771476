"""Sessions: the result of a completed sign-in, and how they end."""

from datetime import timedelta

import pytest

from tests.support.clock import Clock
from tests.support.factories import AccountFactory
from tests.support.mailbox import Mailbox
from tests.support.rpc import CLIENT, METHODS, Rpc, refused
from tests.support.steps import sign_in_by_app, sign_in_by_backup_code, sign_in_by_email


async def test_methods_of_a_session(factory: AccountFactory, rpc: Rpc) -> None:
    """`Session.methods`: `pwd` for the password, `otp` for the authenticator, `otp` and a name of their own for e-mail
    and backup codes, and `mfa` for authenticator and backup code only."""
    owner = await factory.signed_in_account()
    by_mail = (await rpc.GetSession(session_token=owner.session_token)).session
    await factory.set_up_authenticator(owner)
    by_app = (await sign_in_by_app(factory, owner)).session
    by_backup_code = (await sign_in_by_backup_code(factory, owner)).session
    assert list(by_mail.methods) == ["pwd", "otp", "urn:twofactor:email"]
    assert list(by_app.methods) == ["pwd", "otp", "mfa"]
    assert list(by_backup_code.methods) == ["pwd", "otp", "urn:twofactor:backup", "mfa"]
    vouched = await rpc.UseBackupCode(
        challenge_token=await factory.asserted_challenge_for(owner), backup_code=owner.backup_code
    )
    assert list(vouched.session.methods) == ["otp", "urn:twofactor:backup", "mfa"]


async def test_a_session_has_account_times_and_client(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """The client is the one that completed the sign-in."""
    owner = await factory.account_with_authenticator()
    signed_in = await sign_in_by_app(factory, owner)
    session = signed_in.session
    now = int(clock.now.timestamp())
    assert (session.account_id, session.email, session.client) == (owner.account_id, owner.email, CLIENT)
    assert session.create_time.ToSeconds() == session.last_active_time.ToSeconds() == now
    assert session.expire_time.ToSeconds() == now + 24 * 3600
    assert (await rpc.GetSession(session_token=signed_in.session_token)).session == session


async def test_a_session_without_a_client(factory: AccountFactory, rpc: Rpc, mailbox: Mailbox) -> None:
    """ "Absent when the caller did not say." """
    owner = await factory.account()
    challenge = await factory.challenge_for(owner, client=None)
    code = await mailbox.code(owner.email)
    signed_in = await rpc.VerifyEmailCode(challenge_token=challenge, code=code, client=None)
    assert not signed_in.session.HasField("client")


async def test_a_session_ends_after_an_idle_hour(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "Session: 24 h overall, 1 h idle": GetSession resets the idle time."""
    owner = await factory.signed_in_account()
    for _ in range(2):
        clock.advance(timedelta(minutes=59))
        session = (await rpc.GetSession(session_token=owner.session_token)).session
        assert session.last_active_time.ToSeconds() == int(clock.now.timestamp()), (
            "this use of it is included in last_active_time"
        )
    clock.advance(timedelta(minutes=60))
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=owner.session_token)
    with refused("SESSION_ENDED"):
        await rpc.GetTwoFactor(session_token=owner.session_token)


async def test_a_session_ends_after_a_day(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """ "24 h overall": GetSession does not extend it."""
    owner = await factory.signed_in_account()
    for _ in range(31):
        clock.advance(timedelta(minutes=45))
        await rpc.GetSession(session_token=owner.session_token)
    clock.advance(timedelta(minutes=44, seconds=59))
    await rpc.GetSession(session_token=owner.session_token)
    clock.advance(timedelta(seconds=1))
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=owner.session_token)


async def test_signing_out_ends_one_session(factory: AccountFactory, rpc: Rpc) -> None:
    """Other sessions stay. Signing out again, or of an unknown session, succeeds."""
    owner = await factory.signed_in_account()
    other = (await sign_in_by_email(factory, owner, 2)).session_token
    for token in (other, other, other[:-8] + "AAAAAAAA"):
        await rpc.SignOut(session_token=token)
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=other)
    await rpc.GetSession(session_token=owner.session_token)


@pytest.mark.parametrize("call", ["GetTwoFactor", "ConfirmBackupCodeSaved", "StartAuthenticatorSetup",
                                  "ConfirmAuthenticatorSetup", "CancelAuthenticatorSetup", "RegenerateBackupCode",
                                  "RemoveAuthenticator"])  # fmt: skip
async def test_an_ended_session_is_refused(factory: AccountFactory, rpc: Rpc, call: str) -> None:
    """After signing out, every method that takes a session answers SESSION_ENDED."""
    owner = await factory.signed_in_account()
    await rpc.SignOut(session_token=owner.session_token)
    values = owner.by_password() | {
        "setup_id": "00000000-0000-4000-8000-000000000000",
        "code": "123456",
        "generation": 1,
    }
    names = METHODS[call].input_type.fields_by_name
    with refused("SESSION_ENDED"):
        await getattr(rpc, call)(**{name: value for name, value in values.items() if name in names})
