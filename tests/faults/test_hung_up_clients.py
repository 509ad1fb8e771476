"""Clients that hang up at any moment: what was charged stays charged, nothing is half done, and the repeat is free."""

import asyncio
import random

import grpc
import pytest

from tests.faults.faults import end_well
from tests.faults.stories import STORIES, Story
from tests.people import People

HANG_UPS = 6
LONGEST = 0.06


@pytest.mark.parametrize("story", STORIES)
async def test_a_client_that_hangs_up_again_and_again_ends_well(story: type[Story], people: People) -> None:
    """Cancelled at random moments of the call, several times in a row; then the same call is let finish."""
    told = story()
    await told.prepare(people)
    for _ in range(min(HANG_UPS, told.repeats)):
        attempt = asyncio.create_task(_ignoring_the_answer(told, people))
        await asyncio.sleep(random.uniform(0, LONGEST))
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
    await end_well(told, people)


async def _ignoring_the_answer(told: Story, people: People) -> None:
    try:
        await told.call(people)
    except grpc.aio.AioRpcError:
        return
