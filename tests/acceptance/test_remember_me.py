"""Remembered sessions: a longer lifetime, and nothing else."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.storage.databases import migrated_database
from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner, factory_for
from tests.support.rpc import Rpc, refused
from tests.support.servers import Server, serving
from tests.support.steps import STEP
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

DAY = timedelta(days=1)


async def remembered_sign_in(factory: AccountFactory, owner: Owner) -> Any:
    """A sign-in with remember_me."""
    factory.clock.advance(STEP)
    challenge = await factory.challenge_for(owner, remember_me=True)
    return await factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(factory.clock.now))


async def test_a_remembered_session_may_be_idle_for_three_days(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """It outlives an idle hour and a day in total, unlike a normal session. Fails with the idle or the total lifetime
    of normal sessions."""
    owner = await factory.account_with_authenticator()
    token = (await remembered_sign_in(factory, owner)).session_token
    for _ in range(2):
        clock.advance(3 * DAY - timedelta(seconds=1))
        session = (await rpc.GetSession(session_token=token)).session
        assert session.last_active_time.ToSeconds() == int(clock.now.timestamp())
        assert (await rpc.ListSessions(session_token=token)).sessions == [session]
        await rpc.GetTwoFactor(session_token=token)
        with refused("SESSION_ENDED"):
            await rpc.GetSession(session_token=owner.session_token)
    clock.advance(DAY + timedelta(seconds=2))
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=token)


async def test_a_remembered_session_ends_after_three_idle_days(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """For every method."""
    owner = await factory.account_with_authenticator()
    owner.session_token = (await remembered_sign_in(factory, owner)).session_token
    clock.advance(3 * DAY)
    for call in (
        rpc.GetSession(session_token=owner.session_token),
        rpc.GetTwoFactor(session_token=owner.session_token),
        rpc.ListSessions(session_token=owner.session_token),
        rpc.RegenerateBackupCode(**owner.by_password()),
    ):
        with refused("SESSION_ENDED"):
            await call


async def test_a_remembered_session_ends_after_seven_days(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """Session.expire_time is fixed at the start; GetSession does not move it."""
    owner = await factory.account_with_authenticator()
    signed_in = await remembered_sign_in(factory, owner)
    ends = clock.now + 7 * DAY
    assert signed_in.session.expire_time.ToSeconds() == int(ends.timestamp())
    for _ in range(6):
        clock.advance(DAY)
        assert (
            await rpc.GetSession(session_token=signed_in.session_token)
        ).session.expire_time == signed_in.session.expire_time
    clock.advance(ends - clock.now - timedelta(seconds=1))
    await rpc.GetSession(session_token=signed_in.session_token)
    clock.advance(timedelta(seconds=1))
    with refused("SESSION_ENDED"):
        await rpc.GetSession(session_token=signed_in.session_token)


async def test_remember_me_does_not_skip_the_second_factor(factory: AccountFactory, rpc: Rpc, clock: Clock) -> None:
    """A sign-in on a remembered browser opens a normal challenge, and changes still require the password."""
    owner = await factory.account_with_authenticator()
    owner.session_token = (await remembered_sign_in(factory, owner)).session_token
    clock.advance(DAY)
    for remember_me in (False, True):
        challenge = await factory.challenge_for(owner, remember_me=remember_me)
        shown = (await rpc.GetChallenge(challenge_token=challenge)).challenge
        assert shown.state == types_pb2.CHALLENGE_STATE_OPEN
        assert shown.second_factor == types_pb2.SECOND_FACTOR_AUTHENTICATOR
    request = dict(session_token=owner.session_token)
    with refused("REAUTHENTICATION_REQUIRED"):
        await rpc.RegenerateBackupCode(**request)


@pytest.mark.parametrize("remember_me", [False, True])
async def test_session_lifetimes_are_configurable(
    postgres: EmbeddedPostgres, clock: Clock, tmp_path: Path, remember_me: bool
) -> None:
    """TWOFACTOR_SESSION_REMEMBERED_LIFETIME and _IDLE apply to remembered sessions, the other two to all others. Uses
    its own database, because servers on one database deliver each other's e-mails."""
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
            factory = factory_for(other, channel)
            owner = await factory.account()
            challenge = await factory.challenge_for(owner, remember_me=remember_me)
            signed_in = await factory.rpc.VerifyEmailCode(
                challenge_token=challenge, code=await factory.mailbox.code(owner.email)
            )
            session = signed_in.session
            assert session.expire_time.ToSeconds() == session.create_time.ToSeconds() + lifetime * 3600
            factory.clock.advance(timedelta(minutes=idle) - timedelta(seconds=1))
            await factory.rpc.GetSession(session_token=signed_in.session_token)
            factory.clock.advance(timedelta(minutes=idle))
            with refused("SESSION_ENDED"):
                await factory.rpc.GetSession(session_token=signed_in.session_token)
