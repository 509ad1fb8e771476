"""The protocol without this or that: what must break does, within the least number of moves; what must hold holds.

These are the tests of the promises themselves: each is seen to fail here, with the mechanism taken out that keeps it.
"""

import pytest

from model import page
from model.mechanisms import Mechanism, Promise
from model.runs import run_variant
from model.second_lines import SECOND_LINES
from model.variant import Variant
from model.variants import BROKEN


def _name(variant: Variant) -> str:
    return f"{variant.name} ({variant.breaks or 'holds'})"


@pytest.mark.parametrize("variant", BROKEN, ids=_name)
def test_it_breaks(variant: Variant) -> None:
    """The explorer finds the counterexample, and the story ends with it."""
    run = run_variant(variant)

    assert run.surprise is None
    assert run.explored.depth == len(run.explored.story)


@pytest.mark.parametrize("variant", SECOND_LINES, ids=_name)
def test_it_holds(variant: Variant) -> None:
    """Another line stands behind: every state is visited, and the promise holds in each. The page says so."""
    run = run_variant(variant)

    assert run.surprise is None
    assert run.explored.violation is None
    assert page.holds_row(run) in page.part_of(page.PAGE.read_text(encoding="utf-8"), page.HOLDS)


def test_no_mechanism_is_overlooked() -> None:
    """Each is missing from some variant that breaks, and each promise is broken by some."""
    missing = {mechanism for variant in BROKEN for mechanism in variant.removed}

    assert missing == set(Mechanism)
    assert {variant.breaks for variant in BROKEN} == set(Promise)


def test_what_is_taken_out_together_holds_with_any_one_of_them() -> None:
    """Of three lines in one gap, any two can fall."""
    lines = {Mechanism.ROW_LOCK, Mechanism.SPENT_KEY, Mechanism.GUARDED_WRITE}
    pairs = [set(variant.removed) for variant in SECOND_LINES if len(variant.removed) == 2]

    assert all(lines - {kept} in pairs for kept in lines)
