"""docs/model.md says what the model finds. ``make model`` compares all of it; here, what is found quickly."""

from dataclasses import replace

import pytest

from model import page, scenarios
from model.runs import run_variant, run_whole
from model.scenarios import WHOLE
from model.variants import BROKEN

STALE = "stale: python -m model --write-docs"


@pytest.fixture(scope="module")
def written() -> str:
    """The page as it is kept."""
    return page.PAGE.read_text(encoding="utf-8")


def test_what_breaks_is_told_as_found(written: str) -> None:
    """The table, and every story with its drawing."""
    made = page.variants_made([run_variant(variant) for variant in BROKEN])

    assert page.part_of(written, page.BREAKS) == made[page.BREAKS], STALE
    assert page.part_of(written, page.STORIES) == made[page.STORIES], STALE


def test_the_whole_protocol_is_told_as_found(written: str) -> None:
    """Every scenario has its line, in order; those that are quickly explored, the right figures."""
    lines = page.part_of(written, page.WHOLE).splitlines()[2:-1]

    for scenario, line in zip(WHOLE, lines, strict=True):
        assert line.startswith(f"| **{scenario.name}**: {scenario.about} |")
        assert line.endswith(" | 0 |")
    for scenario in (scenarios.TIME, scenarios.APP):
        assert page.whole_row(run_whole(scenario)) in lines, STALE


def test_only_the_generated_parts_are_made_anew(written: str) -> None:
    """What people wrote stays as they wrote it."""
    emptied = page.refreshed(written, {name: "" for name in (page.WHOLE, page.HOLDS, page.BREAKS, page.STORIES)})

    assert "# The model" in emptied
    assert "```mermaid" not in emptied
    parts = {name: page.part_of(written, name) for name in (page.WHOLE, page.HOLDS, page.BREAKS, page.STORIES)}
    assert page.refreshed(emptied, parts) == written


def test_drawings_use_nothing_that_mermaid_trips_over(written: str) -> None:
    """A semicolon ends a line of a sequence diagram, and a hash begins an escape."""
    for drawing in written.split("```mermaid\n")[1:]:
        assert not set(drawing.split("```")[0]) & set(";#")


def test_a_story_names_who_appears_and_ends_with_what_is_broken() -> None:
    """The participants of the drawing are those of the sentences."""
    variant = BROKEN[0]
    told = page.story(1, run_variant(replace(variant, instead="Nobody locks.")))

    assert "Nobody locks." in told
    assert "participant C2 as Second browser" in told
    assert "Alice's browser uses code 1 on sign-in 1, at server 1" in told
    assert "**Broken: never twice.** One backup code has opened two sessions." in told
