"""Clients that cancel a call at any moment."""

import asyncio
import contextlib
import random

import pytest

from tests.recovery.stories import STORIES, Story
from tests.support.factories import AccountFactory
from tests.support.rpc import Refused

CANCELS = 6
LONGEST = 0.06
"""Seconds until a call is cancelled, at most."""


@pytest.mark.parametrize("story_type", STORIES)
async def test_a_retry_after_repeated_cancels_has_one_effect(story_type: type[Story], factory: AccountFactory) -> None:
    """The call is cancelled several times at random moments; then it is retried to its end."""
    story = story_type()
    await story.prepare(factory)
    for _ in range(min(CANCELS, story.repeats)):
        attempt = asyncio.create_task(_call(story, factory))
        await asyncio.sleep(random.uniform(0, LONGEST))
        attempt.cancel()
        await asyncio.gather(attempt, return_exceptions=True)
    await story.retry_and_verify(factory)


async def _call(story: Story, factory: AccountFactory) -> None:
    with contextlib.suppress(Refused):
        await story.call(factory)
