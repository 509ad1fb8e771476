"""The whole protocol, in the scenarios that are quickly explored: no promise breaks in any state."""

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

QUICK = (scenarios.TIME, scenarios.APP, scenarios.FIRST_SETUP, scenarios.SLOW)


@pytest.mark.parametrize("scenario", QUICK, ids=lambda scenario: scenario.name)
def test_with_every_fault(scenario: Scenario) -> None:
    """As ``make model`` explores it: two crashes, two lost answers."""
    run = run_whole(scenario)

    assert run.surprise is None
    assert run.explored.states > 1_000


@pytest.mark.parametrize(
    "scenario", [one for one in WHOLE if one not in QUICK and not one.fine], ids=lambda scenario: scenario.name
)
def test_with_one_lost_answer(scenario: Scenario) -> None:
    """The larger ones with fewer faults."""
    assert run_whole(replace(scenario, crashes=0, losses=1)).surprise is None


def test_statement_by_statement() -> None:
    """What may come between the statements of two transactions that lock the same row: nothing that matters."""
    assert run_whole(replace(scenarios.STATEMENTS, losses=0)).surprise is None


def test_statements_one_by_one_come_to_the_same_as_transactions() -> None:
    """The lock makes a transaction one step: both ways of exploring end in the same committed rows."""
    whole = replace(scenarios.SLOW, crashes=0, losses=0, alike=0, own_challenges=False)

    assert _ends(replace(whole, fine=True)) == _ends(whole)


def test_alike_states_count_once_and_none_is_overlooked() -> None:
    """Every state that is reached has its like among those that are visited."""
    scenario = replace(scenarios.SLOW, crashes=1, losses=1)
    alike = Symmetry(scenario)
    visited = _states(scenario, alike)
    all_of_them = _states(replace(scenario, alike=0))

    assert {alike(state) for state in all_of_them} == visited
    assert len(all_of_them) / 4 <= len(visited) < len(all_of_them) / 2


def _states(scenario: Scenario, alike: Canonical = lambda world: world) -> set[World]:
    seen: set[World] = set()

    def noted(world: World) -> World:
        kept = alike(world)
        seen.add(kept)
        return kept

    assert explore(scenario, Promises(scenario), noted).violation is None
    return seen


def _ends(scenario: Scenario) -> set[Rows]:
    return {world.rows for world in _states(scenario) if not world.running}
