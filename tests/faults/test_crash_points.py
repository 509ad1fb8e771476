"""A server process killed with -9 at every step of every changing method: before it, before its commit, after it."""

from pathlib import Path

import grpc
import pytest

from tests.faults.faults import doomed, end_well
from tests.faults.stories import STORIES, Story
from tests.people import People, people_of
from tests.servers import Server
from twofactor_server.flows.steps import Step

POINTS = [
    pytest.param(story, point, id=f"{story.__name__}-{point}")
    for story in STORIES
    for step in story.passes
    for point in (step.before, step.uncommitted, step.committed)
]


@pytest.mark.parametrize(("story", "point"), POINTS)
async def test_the_call_repeated_after_a_kill_ends_well(
    story: type[Story], point: str, people: People, server: Server, tmp_path: Path
) -> None:
    """Whatever was committed when the server died, the repeated call finds out, and it comes to one effect.

    Seen to fail with mechanisms taken out: without the sealed replies, the points after the last commit of a sign-in;
    without charge-once, every point between the charge and the verdict, where the repeat costs a second attempt.
    """
    told = story()
    await told.prepare(people)
    with doomed(server, tmp_path, point) as dying:
        async with grpc.aio.insecure_channel(dying.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as died:
                await told.call(people_of(dying, channel))
    assert died.value.code() is grpc.StatusCode.UNAVAILABLE
    await end_well(told, people)


def test_every_step_is_passed_by_a_story() -> None:
    """A new step needs a story before it is built."""
    assert {step for story in STORIES for step in story.passes} == set(Step)
