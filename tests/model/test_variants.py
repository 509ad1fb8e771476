"""The protocol without some mechanisms: the expected promise breaks, or holds where another mechanism remains.

These are also the tests of the promises: each is seen to fail when the mechanism that keeps it is removed.
"""

import pytest

from model.mechanisms import Mechanism, Promise
from model.runs import run_variant
from model.variants import BREAKING, REDUNDANT_GUARDS, Variant


def _name(variant: Variant) -> str:
    return f"{variant.name} ({variant.breaks or 'holds'})"


@pytest.mark.parametrize("variant", BREAKING, ids=_name)
def test_promise_breaks(variant: Variant) -> None:
    run = run_variant(variant)

    assert run.failure is None
    assert run.explored.depth == len(run.explored.trace)


@pytest.mark.parametrize("variant", REDUNDANT_GUARDS, ids=_name)
def test_promise_holds(variant: Variant) -> None:
    run = run_variant(variant)

    assert run.failure is None
    assert run.explored.violation is None


def test_every_mechanism_and_promise_is_covered() -> None:
    """Each mechanism is missing from some variant that breaks, and each promise is broken by some."""
    assert {mechanism for variant in BREAKING for mechanism in variant.removed} == set(Mechanism)
    assert {variant.breaks for variant in BREAKING} == set(Promise)


def test_any_one_of_three_guards_suffices() -> None:
    guards = {Mechanism.ROW_LOCK, Mechanism.SPENT_KEY, Mechanism.GUARDED_WRITE}
    pairs = [set(variant.removed) for variant in REDUNDANT_GUARDS if len(variant.removed) == 2]

    assert all(guards - {remaining} in pairs for remaining in guards)
