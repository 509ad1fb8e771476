"""What the long run does, one thing at a time; each draws its own lot and judges its own end."""

import asyncio
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

import grpc
import pytest

from tests.faults.answer_wire import AnswerWire
from tests.faults.database_wire import Cut
from tests.faults.faults import doomed, end_well
from tests.faults.stories import STORIES, Story
from tests.faults.test_kills_under_load import VICTIMS, sign_in_through_kills
from tests.people import people_of
from tests.races import calls
from tests.races.racers import answers, reasons
from tests.races.stories import challenges_for
from tests.soak.counts import Counts
from tests.soak.ground import Ground

USES = 64
PROGRAMS = 15

Activity = Callable[[Ground, Counts], Awaitable[None]]


async def double_spend(ground: Ground, counts: Counts) -> None:
    """A fresh account, 64 challenges, one code used on all of them at once; then the new code, at once."""
    people = ground.people
    owner = await people.with_authenticator()
    challenges = await challenges_for(people, owner, USES)
    outcomes = await ground.racers.race([calls.use(challenge, owner.backup_code) for challenge in challenges])
    counts.add("double-spend rounds")
    counts.add("concurrent uses", len(outcomes))
    counts.add("OVERLOADED, repeated", sum(outcome.overloaded for outcome in outcomes))
    winners = answers(outcomes)
    counts.add("rounds with two successes or more", int(len(winners) > 1))
    counts.add("rounds without a success", int(not winners))
    others = len(outcomes) - len(winners) - reasons(outcomes)["CODE_ALREADY_USED"]
    counts.add("refusals other than CODE_ALREADY_USED", others)
    assert len(winners) == 1, reasons(outcomes)
    assert others == 0, reasons(outcomes)
    assert not (await people.status(winners[0].session_token)).waits
    await people.use_backup_code(await people.challenge_for(owner), winners[0].new_backup_code.code)


async def kill_at_a_point(ground: Ground, counts: Counts) -> None:
    """A server process killed with -9 at a committed step."""
    told = _any_story()
    await told.prepare(ground.people)
    step = random.choice(told.passes)
    point = random.choice((step.before, step.uncommitted, step.committed))
    with tempfile.TemporaryDirectory(dir=ground.folder) as folder, doomed(ground.server, Path(folder), point) as dying:
        async with grpc.aio.insecure_channel(dying.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError):
                await told.call(people_of(dying, channel))
    await end_well(told, ground.people)
    counts.add("servers killed at a chosen point")


async def swallow_an_answer(ground: Ground, counts: Counts) -> None:
    """An answer lost on its way to the client."""
    told = _any_story()
    await told.prepare(ground.people)
    wire = AnswerWire()
    async with wire.to(ground.server.address) as address, grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        wire.armed = True
        with pytest.raises(grpc.aio.AioRpcError):
            await told.call(people_of(ground.server, channel))
    await end_well(told, ground.people)
    counts.add("answers swallowed")


async def cut_at_a_commit(ground: Ground, counts: Counts) -> None:
    """The way to the database cut before a COMMIT arrived, or before its answer came back."""
    told = _any_story()
    await told.prepare(ground.people)
    async with grpc.aio.insecure_channel(ground.wired.address) as channel:
        ground.wire.arm(random.choice(list(Cut)), random.randint(1, len(told.passes)))
        with pytest.raises(grpc.aio.AioRpcError):
            await told.call(people_of(ground.wired, channel))
    await end_well(told, ground.people)
    counts.add("connections cut around a COMMIT")


async def hang_up(ground: Ground, counts: Counts) -> None:
    """A client that hangs up at random moments, and then lets the call finish."""
    told = _any_story()
    await told.prepare(ground.people)
    for _ in range(min(random.randint(1, 8), told.repeats)):
        attempt = asyncio.create_task(told.call(ground.people))
        await asyncio.sleep(random.uniform(0, 0.06))
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
        counts.add("calls hung up on")
    await end_well(told, ground.people)


async def kill_under_load(ground: Ground, counts: Counts) -> None:
    """PostgreSQL, or server processes, killed with -9 while owners go on signing in."""
    victim = random.choice(VICTIMS)
    uses, kills = await sign_in_through_kills(victim, ground.postgres, ground.server, ground.people)
    counts.add(f"kills of {'PostgreSQL' if victim == 'postgres' else 'server processes'} under load", kills)
    counts.add("sign-ins through kills", uses)


async def random_programs(ground: Ground, counts: Counts) -> None:
    """The stateful property test, with a seed of its own, in a process of its own."""
    environment = os.environ | {"TWOFACTOR_SOAK_EXAMPLES": str(PROGRAMS)}
    command = [sys.executable, "-m", "pytest", "tests/stateful", "-q", "-p", "no:cacheprovider"]
    done = await asyncio.to_thread(
        subprocess.run, command, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:]
    counts.add("random programs against the oracle", PROGRAMS)


def _any_story() -> Story:
    return random.choice(STORIES)()
