"""Signing in, killed at every step. Its two siblings are files of their own because files are what runs at once."""

from pathlib import Path

import pytest

from tests.faults.crash_points import ends_well_after_a_kill, points
from tests.faults.stories import SIGNING_IN, STORIES, Story
from tests.people import People
from tests.servers import Server
from twofactor_server.flows.steps import Step


@pytest.mark.parametrize(("story", "point"), points(SIGNING_IN))
async def test_the_call_repeated_after_a_kill_ends_well(
    story: type[Story], point: str, people: People, server: Server, tmp_path: Path
) -> None:
    await ends_well_after_a_kill(story, point, people, server, tmp_path)


def test_every_step_is_passed_by_a_story() -> None:
    """A new step needs a story before it is built."""
    assert {step for story in STORIES for step in story.passes} == set(Step)
