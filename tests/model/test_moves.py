"""The moves of the model: lock waits, deadlocks, crashes, lost answers, retries."""

from dataclasses import replace

import pytest

from model import programs, scenarios
from model.calls import OK, Outcome, Result, RevokeSession, SignOut
from model.database import Read, Steps
from model.explorer import explore
from model.mechanisms import Context, Mechanism, Promise
from model.moves import Moves
from model.programs import TIME, TRANSACTIONS
from model.promises import Promises
from model.rows import FACTOR, Attempt
from model.trace import Step
from model.world import Scenario, Script, World
from twofactor_server.flows.transactions import TransactionName

WITHOUT_TRANSACTION = {TIME, "password-verified", "identity-exchanged"}
"""Passing time, and what the server reads without a transaction."""

VARIANTS_ONLY = {
    "backup-code-looked-up",
    "backup-code-charged-late",
    "backup-code-charged-and-verified",
    "new-code-stored",
}


def _play(moves: Moves, world: World, *kinds: str, client: int = 0) -> World:
    for kind in kinds:
        world = next(move for move in moves(world) if move.kind == kind and move.client in (client, -1)).after
    return world


def _possible(moves: Moves, world: World) -> set[tuple[str, int]]:
    return {(move.kind, move.client) for move in moves(world)}


@pytest.fixture
def alone() -> Scenario:
    """One browser with one code; two crashes and two lost answers may occur."""
    return replace(scenarios.RACE, scripts=scenarios.RACE.scripts[:1], interchangeable=0, own_challenges=False)


def test_transactions_have_the_server_names() -> None:
    names = {name for transactions in TRANSACTIONS.values() for name in transactions}

    assert names - WITHOUT_TRANSACTION - VARIANTS_ONLY <= set(TransactionName)


def test_use_takes_two_transactions_and_an_answer(alone: Scenario) -> None:
    moves = Moves(alone)
    charged = _play(moves, alone.start(), "send")
    done = _play(moves, charged, "transact", "answer")

    assert charged.rows.get(("backup_code_attempts", 1, "1")) == Attempt("pending")
    assert done.known_code == done.rows.get(FACTOR).code == "2a"
    assert _possible(moves, done) == set()


def test_crash_loses_calls_and_keeps_committed_rows(alone: Scenario) -> None:
    moves = Moves(alone)
    crashed = _play(moves, alone.start(), "send", "crash")

    assert crashed.running == ()
    assert crashed.rows.get(("challenges", 1)).attempts == 1
    assert _possible(moves, crashed) == {("send", 0)}


def test_client_that_gave_up_can_retry_while_the_server_continues(alone: Scenario) -> None:
    moves = Moves(alone)
    retried = _play(moves, alone.start(), "send", "give up", "send")

    assert [execution.abandoned for execution in retried.running] == [True, False]
    assert retried.rows.get(("challenges", 1)).attempts == 1


def test_abandoned_call_is_not_answered(alone: Scenario) -> None:
    moves = Moves(alone)
    done = _play(moves, alone.start(), "send", "give up", "transact")

    assert done.running == ()
    assert done.known_code == "1"


def test_row_lock_blocks_another_transaction() -> None:
    moves = Moves(scenarios.STATEMENTS)
    world = _play(moves, scenarios.STATEMENTS.start(), "send", "statement")
    waiting = _play(moves, world, "send", client=1)

    assert ("statement", 1) not in _possible(moves, waiting)
    assert ("statement", 0) in _possible(moves, waiting)


def test_uncommitted_writes_are_invisible_to_others() -> None:
    scenario = replace(scenarios.STATEMENTS, removed=frozenset((Mechanism.ROW_LOCK,)))
    moves = Moves(scenario)
    world = _play(moves, scenario.start(), "send", *["statement"] * 6)

    assert world.running[0].opened.writes
    assert world.rows is scenario.start().rows
    assert _play(moves, world, "commit").rows.get(("challenges", 1)).attempts == 1


def test_deadlock_is_detected_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """RevokeSession locks the second factor first; this SignOut locks the session first."""

    def sign_out(_ctx: Context, call: SignOut) -> Steps[Result]:
        yield Read(("sessions", call.session), lock=True)
        yield Read(FACTOR, lock=True)
        return Outcome(OK)

    monkeypatch.setattr(programs, "TRANSACTIONS", {**TRANSACTIONS, SignOut: {"signed-out": sign_out}})
    scripts = (Script("laptop", (RevokeSession(0, 0),)), Script("tab 2", (SignOut(0),)))
    scenario = replace(scenarios.STATEMENTS, scripts=scripts, rows=scenarios.account(0), crashes=0, losses=0)
    explored = explore(scenario, Promises(scenario))

    assert explored.violation is not None
    assert explored.violation == (Promise.ACCURATE, "two transactions wait for each other")
    last: Step = explored.trace[-1]
    assert last.describe(scenario).endswith(": aborted by a deadlock, starts again")
    (aborted,) = (e for e in last.move.after.running if e.client == last.move.client)
    assert (aborted.log, aborted.opened.locks) == ((), frozenset())


def test_exploration_of_a_whole_script_ends() -> None:
    scenario = replace(scenarios.SAVED, scripts=scenarios.SAVED.scripts[:1], crashes=0, losses=0)
    explored = explore(scenario, Promises(scenario))

    assert scenario.next_action(0, 2) == SignOut(1)
    assert (explored.violation, explored.depth) == (None, 7)
