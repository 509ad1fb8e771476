"""Changes of the second factor and of sessions, killed at every step."""

from pathlib import Path

import pytest

from tests.faults.crash_points import ends_well_after_a_kill, points
from tests.faults.stories import IN_SESSION, Story
from tests.people import People
from tests.servers import Server


@pytest.mark.parametrize(("story", "point"), points(IN_SESSION))
async def test_the_call_repeated_after_a_kill_ends_well(
    story: type[Story], point: str, people: People, server: Server, tmp_path: Path
) -> None:
    await ends_well_after_a_kill(story, point, people, server, tmp_path)
