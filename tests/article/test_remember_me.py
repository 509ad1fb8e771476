"""Remember me: a longer session on this browser, and nothing else."""

from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from tests.article.steps import STEP
from tests.conftest import Refusing
from tests.people import People, Person, people_of
from tests.servers import Clock, Server, serving
from tests.storage.databases import migrated_database
from twofactor.v1 import two_factor_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres

DAY = timedelta(days=1)


async def remembered(people: People, owner: Person) -> two_factor_service_pb2.VerifyAuthenticatorCodeResponse:
    """A sign-in whose owner ticked the box."""
    people.clock.advance(STEP)
    challenge = await people.challenge_for(owner, remember_me=True)
    return await people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))


async def test_a_remembered_session_may_be_idle_for_three_days(people: People, refused: Refusing) -> None:
    """It outlives an hour of idleness and a day overall, and a plain one beside it does not. It fails with
    the idle life of the others, and with their overall one."""
    owner = await people.with_authenticator()
    token = (await remembered(people, owner)).session_token
    for _ in range(2):
        people.clock.advance(3 * DAY - timedelta(seconds=1))
        session = await people.session(token)
        assert session.last_active_time.ToSeconds() == int(people.clock.now.timestamp())
        assert await people.sessions(token) == [session]
        await people.status(token)
        with refused("SESSION_ENDED"):
            await people.session(owner.session_token)
    people.clock.advance(DAY + timedelta(seconds=2))
    with refused("SESSION_ENDED"):
        await people.session(token)


async def test_a_remembered_session_ends_when_idle_for_three_days(people: People, refused: Refusing) -> None:
    """Not active for its own idle life: over, for every method alike."""
    owner = await people.with_authenticator()
    owner.session_token = (await remembered(people, owner)).session_token
    people.clock.advance(3 * DAY)
    for call in (
        people.session(owner.session_token),
        people.status(owner.session_token),
        people.sessions(owner.session_token),
        people.regenerate(owner),
    ):
        with refused("SESSION_ENDED"):
            await call


async def test_a_remembered_session_ends_after_seven_days_however_active(people: People, refused: Refusing) -> None:
    """Session.expire_time says so from the beginning, and looking does not move it."""
    owner = await people.with_authenticator()
    signed_in = await remembered(people, owner)
    ends = people.clock.now + 7 * DAY
    assert signed_in.session.expire_time.ToSeconds() == int(ends.timestamp())
    for _ in range(6):
        people.clock.advance(DAY)
        assert (await people.session(signed_in.session_token)).expire_time == signed_in.session.expire_time
    people.clock.advance(ends - people.clock.now - timedelta(seconds=1))
    await people.session(signed_in.session_token)
    people.clock.advance(timedelta(seconds=1))
    with refused("SESSION_ENDED"):
        await people.session(signed_in.session_token)


async def test_remember_me_never_spares_the_second_factor(people: People, refused: Refusing) -> None:
    """A sign-in on a remembered browser, and one that asks to be, opens a challenge like any other; and a change still
    wants the password, however long the session lasts."""
    owner = await people.with_authenticator()
    owner.session_token = (await remembered(people, owner)).session_token
    people.clock.advance(DAY)
    for remember_me in (False, True):
        challenge = await people.challenge_for(owner, remember_me=remember_me)
        shown = await people.challenge(challenge)
        assert shown.state == types_pb2.CHALLENGE_STATE_OPEN
        assert shown.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    request = two_factor_service_pb2.RegenerateBackupCodeRequest(session_token=owner.session_token)
    with refused("REAUTHENTICATION_REQUIRED"):
        await people.stubs.two_factor.RegenerateBackupCode(request)


@pytest.mark.parametrize("remember_me", [False, True])
async def test_the_settings_say_how_long(
    postgres: EmbeddedPostgres, clock: Clock, tmp_path: Path, refused: Refusing, remember_me: bool
) -> None:
    """TWOFACTOR_SESSION_REMEMBERED_LIFETIME and _IDLE are for remembered sessions, the other two for all others. On a
    database of its own: of two servers on one, either delivers the mails of both."""
    settings = {
        "TWOFACTOR_SESSION_LIFETIME": "2h",
        "TWOFACTOR_SESSION_IDLE": "10m",
        "TWOFACTOR_SESSION_REMEMBERED_LIFETIME": "5h",
        "TWOFACTOR_SESSION_REMEMBERED_IDLE": "30m",
    }
    lifetime, idle = (5, 30) if remember_me else (2, 10)
    other = Server(tmp_path, await migrated_database(postgres), clock, workers=1, settings=settings)
    with serving(other):
        async with grpc.aio.insecure_channel(other.address) as channel:
            people = people_of(other, channel)
            owner = await people.with_account()
            challenge = await people.challenge_for(owner, remember_me=remember_me)
            signed_in = await people.verify_email_code(challenge, await people.mailbox.code(owner.email))
            session = signed_in.session
            assert session.expire_time.ToSeconds() == session.create_time.ToSeconds() + lifetime * 3600
            people.clock.advance(timedelta(minutes=idle) - timedelta(seconds=1))
            await people.session(signed_in.session_token)
            people.clock.advance(timedelta(minutes=idle))
            with refused("SESSION_ENDED"):
                await people.session(signed_in.session_token)
