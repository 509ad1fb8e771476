"""The activities of the long run. Each draws its parameters at random and verifies its own result."""

import asyncio
import random
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest

from tests.concurrency.client_pool import reasons, responses
from tests.concurrency.steps import challenges_for
from tests.recovery.stories import STORIES, Story
from tests.recovery.test_kills_under_load import VICTIMS, sign_in_through_kills
from tests.soak.counts import Counts
from tests.soak.environment import Environment
from tests.support.factories import factory_for
from tests.support.fault_proxy import AnswerProxy, Cut
from tests.support.rpc import Refused, build
from tests.support.servers import crashing_server

USES = 64
STEPS = 450

Activity = Callable[[Environment, Counts], Awaitable[None]]


async def double_spend(environment: Environment, counts: Counts) -> None:
    """One backup code is used on 64 challenges at once; then the new code is used."""
    factory = environment.factory
    owner = await factory.account_with_authenticator()
    challenges = await challenges_for(factory, owner, USES)
    outcomes = await environment.clients.call_at_once(
        [build.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code) for challenge in challenges]
    )
    counts.add("double-spend rounds")
    counts.add("concurrent uses", len(outcomes))
    counts.add("OVERLOADED, repeated", sum(outcome.overloaded for outcome in outcomes))
    winners = responses(outcomes)
    counts.add("rounds with two successes or more", int(len(winners) > 1))
    counts.add("rounds without a success", int(not winners))
    others = len(outcomes) - len(winners) - reasons(outcomes)["CODE_ALREADY_USED"]
    counts.add("refusals other than CODE_ALREADY_USED", others)
    assert len(winners) == 1, reasons(outcomes)
    assert others == 0, reasons(outcomes)
    assert not (await factory.rpc.GetTwoFactor(session_token=winners[0].session_token)).waits
    await factory.rpc.UseBackupCode(
        challenge_token=await factory.challenge_for(owner), backup_code=winners[0].new_backup_code.code
    )


async def kill_at_a_point(environment: Environment, counts: Counts) -> None:
    """A server process that dies at a crash point."""
    story = _any_story()
    await story.prepare(environment.factory)
    step = random.choice(story.passes)
    point = random.choice((step.before, step.uncommitted, step.committed))
    with (
        tempfile.TemporaryDirectory(dir=environment.folder) as folder,
        crashing_server(environment.server, Path(folder), point) as dying,
    ):
        async with grpc.aio.insecure_channel(dying.address) as channel:
            with pytest.raises(Refused):
                await story.call(factory_for(dying, channel))
    await story.retry_and_verify(environment.factory)
    counts.add("servers killed at a chosen point")


async def lose_an_answer(environment: Environment, counts: Counts) -> None:
    """An answer is lost on its way to the client."""
    story = _any_story()
    await story.prepare(environment.factory)
    proxy = AnswerProxy()
    async with proxy.to(environment.server.address) as address, grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        proxy.armed = True
        with pytest.raises(Refused):
            await story.call(factory_for(environment.server, channel))
    await story.retry_and_verify(environment.factory)
    counts.add("answers lost")


async def cut_at_a_commit(environment: Environment, counts: Counts) -> None:
    """The connection to the database is cut before a COMMIT arrives, or before its answer comes back."""
    story = _any_story()
    await story.prepare(environment.factory)
    async with grpc.aio.insecure_channel(environment.proxied.address) as channel:
        environment.proxy.arm(random.choice(list(Cut)), random.randint(1, len(story.passes)))
        with pytest.raises(Refused):
            await story.call(factory_for(environment.proxied, channel))
    await story.retry_and_verify(environment.factory)
    counts.add("connections cut around a COMMIT")


async def cancel_calls(environment: Environment, counts: Counts) -> None:
    """A client cancels a call at random moments, and then lets it finish."""
    story = _any_story()
    await story.prepare(environment.factory)
    for _ in range(min(random.randint(1, 8), story.repeats)):
        attempt = asyncio.create_task(story.call(environment.factory))
        await asyncio.sleep(random.uniform(0, 0.06))
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        counts.add("calls cancelled")
    await story.retry_and_verify(environment.factory)


async def kill_under_load(environment: Environment, counts: Counts) -> None:
    """PostgreSQL, or server processes, are killed while owners sign in."""
    victim = random.choice(VICTIMS)
    uses, kills = await sign_in_through_kills(victim, environment.postgres, environment.server, environment.factory)
    counts.add(f"kills of {'PostgreSQL' if victim == 'postgres' else 'server processes'} under load", kills)
    counts.add("sign-ins through kills", uses)


async def random_programs(environment: Environment, counts: Counts) -> None:
    """Random programs of people who each hold one thing, with a new seed and servers of their own."""
    command = [sys.executable, "-m", "tests.property", "--steps", str(STEPS)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr[-8000:]
    counts.add("steps of random programs", STEPS)


def _any_story() -> Story:
    return random.choice(STORIES)()
