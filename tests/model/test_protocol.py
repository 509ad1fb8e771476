"""The whole protocol, in the scenarios that are quick to explore: no promise breaks in any state."""

from dataclasses import replace

import pytest

from model import scenarios
from model.explorer import Canonical, explore
from model.promises import Promises
from model.rows import Rows
from model.runs import run_whole
from model.scenarios import WHOLE
from model.symmetry import Symmetry
from model.world import Scenario, World

QUICK = (scenarios.TIME, scenarios.APP, scenarios.FIRST_SETUP, scenarios.SLOW_ANSWERS)


@pytest.mark.parametrize("scenario", QUICK, ids=lambda scenario: scenario.name)
def test_all_faults(scenario: Scenario) -> None:
    """As ``make model`` explores it: two crashes, two lost answers."""
    run = run_whole(scenario)

    assert run.failure is None
    assert run.explored.states > 1_000


@pytest.mark.parametrize(
    "scenario", [one for one in WHOLE if one not in QUICK and not one.by_statement], ids=lambda scenario: scenario.name
)
def test_one_lost_answer(scenario: Scenario) -> None:
    """The larger scenarios with fewer faults."""
    assert run_whole(replace(scenario, crashes=0, losses=1)).failure is None


def test_statement_by_statement() -> None:
    """Other transactions can run between the statements of a transaction, and break no promise."""
    assert run_whole(replace(scenarios.STATEMENTS, losses=0)).failure is None


def test_statements_and_transactions_commit_the_same_rows() -> None:
    """The row lock makes a transaction one step: both ways of exploring end in the same committed rows."""
    whole = replace(scenarios.SLOW_ANSWERS, crashes=0, losses=0, interchangeable=0, own_challenges=False)

    assert _final_rows(replace(whole, by_statement=True)) == _final_rows(whole)


def test_symmetry_misses_no_state() -> None:
    """Every reachable state has its representative among those that are visited, which are far fewer."""
    scenario = replace(scenarios.SLOW_ANSWERS, crashes=1, losses=1)
    symmetry = Symmetry(scenario)
    visited = _states(scenario, symmetry)
    reachable = _states(replace(scenario, interchangeable=0))

    assert {symmetry(state) for state in reachable} == visited
    assert len(reachable) / 4 <= len(visited) < len(reachable) / 2


def _states(scenario: Scenario, canonical: Canonical = lambda world: world) -> set[World]:
    seen: set[World] = set()

    def collect(world: World) -> World:
        representative = canonical(world)
        seen.add(representative)
        return representative

    assert explore(scenario, Promises(scenario), collect).violation is None
    return seen


def _final_rows(scenario: Scenario) -> set[Rows]:
    return {world.rows for world in _states(scenario) if not world.running}
