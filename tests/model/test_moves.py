"""What can happen in the model: locks make wait, deadlocks end, crashes leave what is committed, people give up."""

from dataclasses import replace

import pytest

from model import scenarios
from model.backup_codes import CHARGED, REPLACED
from model.calls import SignOut
from model.explorer import explore
from model.mechanisms import Mechanism, without
from model.moves import Moves
from model.programs import FIRST
from model.promises import Promises
from model.rows import FACTOR, Attempt
from model.world import Scenario, World
from twofactor_server.flows.steps import Step

NO_STEPS = {"time", "password-verified", "identity-exchanged"}
"""Time, and what is read without a transaction."""


def _go(moves: Moves, world: World, *kinds: str, client: int = 0) -> World:
    for kind in kinds:
        world = next(move for move in moves(world) if move.kind == kind and move.client in (client, -1)).after
    return world


def _possible(moves: Moves, world: World) -> set[tuple[str, int]]:
    return {(move.kind, move.client) for move in moves(world)}


@pytest.fixture
def alone() -> Scenario:
    """One browser with one code, two crashes and two lost answers to come."""
    return replace(scenarios.RACE, scripts=scenarios.RACE.scripts[:1], alike=0, own_challenges=False)


def test_steps_bear_the_names_of_the_servers() -> None:
    steps = {CHARGED, REPLACED, *FIRST.values()} - NO_STEPS

    assert steps <= {step.value for step in Step}


def test_a_use_takes_two_steps_and_an_answer(alone: Scenario) -> None:
    moves = Moves(alone)
    charged = _go(moves, alone.start(), "send")
    done = _go(moves, charged, "step", "answer")

    assert charged.rows.get(("backup_code_attempts", 1, "1")) == Attempt("pending")
    assert done.held == done.rows.get(FACTOR).code == "2a"
    assert _possible(moves, done) == set()


def test_a_crash_loses_the_calls_and_keeps_what_is_committed(alone: Scenario) -> None:
    moves = Moves(alone)
    crashed = _go(moves, alone.start(), "send", "crash")

    assert crashed.running == ()
    assert crashed.rows.get(("challenges", 1)).attempts == 1
    assert _possible(moves, crashed) == {("send", 0)}


def test_who_gives_up_may_call_again_while_the_server_works_on(alone: Scenario) -> None:
    moves = Moves(alone)
    again = _go(moves, alone.start(), "send", "give up", "send")

    assert [execution.abandoned for execution in again.running] == [True, False]
    assert again.rows.get(("challenges", 1)).attempts == 1


def test_an_abandoned_call_is_answered_to_nobody(alone: Scenario) -> None:
    moves = Moves(alone)
    done = _go(moves, alone.start(), "send", "give up", "step")

    assert done.running == ()
    assert done.held == "1"


def test_a_row_lock_makes_the_other_wait() -> None:
    moves = Moves(scenarios.STATEMENTS)
    world = _go(moves, scenarios.STATEMENTS.start(), "send", "statement")
    waiting = _go(moves, world, "send", client=1)

    assert ("statement", 1) not in _possible(moves, waiting)
    assert ("statement", 0) in _possible(moves, waiting)


def test_what_is_not_committed_is_seen_by_nobody_else() -> None:
    scenario = replace(scenarios.STATEMENTS, protocol=without(Mechanism.ROW_LOCK))
    moves = Moves(scenario)
    world = _go(moves, scenario.start(), "send", *["statement"] * 6)

    assert world.running[0].opened.writes
    assert world.rows is scenario.start().rows
    assert _go(moves, world, "commit").rows.get(("challenges", 1)).attempts == 1


def test_a_whole_scenario_stops_at_its_ends() -> None:
    scenario = replace(scenarios.SAVED, scripts=scenarios.SAVED.scripts[:1], crashes=0, losses=0)
    explored = explore(scenario, Promises(scenario))

    assert isinstance(scenario.doing(0, 2), SignOut)
    assert (explored.violation, explored.depth) == (None, 7)
