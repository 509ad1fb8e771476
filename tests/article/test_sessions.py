"""Sessions: what a completed sign-in results in, and how it ends."""

from datetime import timedelta

import pytest

from tests.article.steps import sign_in_by_app, sign_in_by_backup_code, sign_in_by_mail, vouched_challenge
from tests.conftest import Refusing
from tests.people import CLIENT, People
from twofactor.v1 import two_factor_service_pb2, types_pb2


async def test_a_session_says_how_it_was_proven(people: People) -> None:
    """`Session.methods`: password `pwd`; authenticator `otp`; e-mail code and backup code `otp` and a name of their
    own; `mfa` for authenticator and backup code only."""
    owner = await people.signed_in()
    by_mail = await people.session(owner.session_token)
    await people.set_up_authenticator(owner)
    by_app = (await sign_in_by_app(people, owner)).session
    by_backup_code = (await sign_in_by_backup_code(people, owner)).session
    assert list(by_mail.methods) == ["pwd", "otp", "urn:twofactor:email"]
    assert list(by_app.methods) == ["pwd", "otp", "mfa"]
    assert list(by_backup_code.methods) == ["pwd", "otp", "urn:twofactor:backup", "mfa"]
    vouched = await people.use_backup_code(await vouched_challenge(people, owner), owner.backup_code)
    assert list(vouched.session.methods) == ["otp", "urn:twofactor:backup", "mfa"]


async def test_a_session_tells_whose_it_is_and_where_from(people: People) -> None:
    """The session names its account, its times, and the browser that completed the sign-in."""
    owner = await people.with_authenticator()
    signed_in = await sign_in_by_app(people, owner)
    session = signed_in.session
    now = int(people.clock.now.timestamp())
    assert (session.account_id, session.email, session.client) == (owner.account_id, owner.email, CLIENT)
    assert session.create_time.ToSeconds() == session.last_active_time.ToSeconds() == now
    assert session.expire_time.ToSeconds() == now + 24 * 3600
    assert await people.session(signed_in.session_token) == session


async def test_a_session_without_a_client_has_none(people: People) -> None:
    """ "Absent when the caller did not say." """
    nowhere = types_pb2.ClientInfo()
    owner = await people.with_account()
    challenge = await people.challenge_for(owner, nowhere)
    request = two_factor_service_pb2.VerifyEmailCodeRequest(
        challenge_token=challenge, code=await people.mailbox.code(owner.email)
    )
    assert not (await people.stubs.two_factor.VerifyEmailCode(request)).session.HasField("client")


async def test_a_session_ends_after_an_hour_of_idleness(people: People, refused: Refusing) -> None:
    """ "Session: 24 h overall, 1 h idle": GetSession is what keeps it alive."""
    owner = await people.signed_in()
    for _ in range(2):
        people.clock.advance(timedelta(minutes=59))
        session = await people.session(owner.session_token)
        assert session.last_active_time.ToSeconds() == int(people.clock.now.timestamp()), (
            "this use of it is included in last_active_time"
        )
    people.clock.advance(timedelta(minutes=60))
    with refused("SESSION_ENDED"):
        await people.session(owner.session_token)
    with refused("SESSION_ENDED"):
        await people.status(owner.session_token)


async def test_a_session_ends_after_a_day_however_active(people: People, refused: Refusing) -> None:
    """ "24 h overall": looking at it does not extend it."""
    owner = await people.signed_in()
    for _ in range(31):
        people.clock.advance(timedelta(minutes=45))
        await people.session(owner.session_token)
    people.clock.advance(timedelta(minutes=44, seconds=59))
    await people.session(owner.session_token)
    people.clock.advance(timedelta(seconds=1))
    with refused("SESSION_ENDED"):
        await people.session(owner.session_token)


async def test_signing_out_ends_it_at_once(people: People, refused: Refusing) -> None:
    """SignOut ends this session and no other; repeating it is OK, and so is a session that never was."""
    owner = await people.signed_in()
    other = (await sign_in_by_mail(people, owner, 2)).session_token
    for token in (other, other, other[:-8] + "AAAAAAAA"):
        await people.sign_out(token)
    with refused("SESSION_ENDED"):
        await people.session(other)
    await people.session(owner.session_token)


@pytest.mark.parametrize("call", ["GetTwoFactor", "ConfirmBackupCodeSaved", "StartAuthenticatorSetup",
                                  "ConfirmAuthenticatorSetup", "CancelAuthenticatorSetup", "RegenerateBackupCode",
                                  "RemoveAuthenticator"])  # fmt: skip
async def test_an_ended_session_does_nothing(people: People, refused: Refusing, call: str) -> None:
    """After signing out, every method that takes the session answers SESSION_ENDED."""
    owner = await people.signed_in()
    await people.sign_out(owner.session_token)
    request_type = getattr(two_factor_service_pb2, f"{call}Request")
    request = request_type(session_token=owner.session_token)
    names = set(request.DESCRIPTOR.fields_by_name)
    if "setup_id" in names:
        request.setup_id = "00000000-0000-4000-8000-000000000000"
    if "code" in names:
        request.code = "123456"
    if "generation" in names:
        request.generation = 1
    if "reauthentication" in names:
        request.reauthentication.password = owner.password
    with refused("SESSION_ENDED"):
        await getattr(people.stubs.two_factor, call)(request)
