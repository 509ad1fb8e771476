"""A server process killed with -9 at a step of a changing method: before it, before its commit, after it."""

from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.faults.faults import doomed, end_well
from tests.faults.stories import Story
from tests.people import People, people_of
from tests.servers import Server


def points(stories: tuple[type[Story], ...]) -> list[Any]:
    """Every point of these stories, as a test's parameters: the story, and where the process dies."""
    return [
        pytest.param(story, point, id=f"{story.__name__}-{point}")
        for story in stories
        for step in story.passes
        for point in (step.before, step.uncommitted, step.committed)
    ]


async def ends_well_after_a_kill(story: type[Story], point: str, people: People, server: Server, folder: Path) -> None:
    """Whatever was committed when the server died, the repeated call finds out, and it comes to one effect.

    Seen to fail with mechanisms taken out: without the sealed replies, the points after the last commit of a sign-in;
    without charge-once, every point between the charge and the verdict, where the repeat costs a second attempt.
    """
    told = story()
    await told.prepare(people)
    with doomed(server, folder, point) as dying:
        async with grpc.aio.insecure_channel(dying.address) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as died:
                await told.call(people_of(dying, channel))
    assert died.value.code() is grpc.StatusCode.UNAVAILABLE
    await end_well(told, people)
