"""A transaction statement by statement: what other transactions can do in between, and which one waits for which."""

from collections.abc import Iterator

from model.calls import INTERNAL, OK, Outcome, Result
from model.database import Opened, Refused, Statement, Violated, execute, needed_locks, replay
from model.mechanisms import Mechanism
from model.programs import next_transaction
from model.rows import Key, Row
from model.statements import INTERNAL_ERRORS
from model.transitions import Move, apply_result, deliver_answer
from model.world import Execution, Scenario, World, with_execution


def statement_moves(scenario: Scenario, world: World, execution: Execution) -> Iterator[Move]:
    """The next statement of the execution's transaction, or its COMMIT or ROLLBACK; none while it waits for a lock."""
    try:
        statement, result = replay(next_transaction(scenario, execution), execution.log)
    except Refused as refused:
        yield _end(scenario, world, execution, "rollback", Outcome(refused.reason, alarm=refused.alarm))
        return
    except INTERNAL_ERRORS:
        yield _end(scenario, world, execution, "rollback", Outcome(INTERNAL))
        return
    if statement is not None:
        yield from _run(scenario, world, execution, statement)
        return
    assert result is not None  # noqa: S101
    committed = world._replace(rows=world.rows.with_writes(dict(execution.opened.writes)))
    yield _end(scenario, committed, execution, "commit", result)
    if isinstance(result, Outcome) and result.reason == OK and not execution.abandoned:
        yield from _answer_early(scenario, world, execution, result)


def _end(scenario: Scenario, world: World, execution: Execution, kind: str, result: Result) -> Move:
    after, verdict = apply_result(scenario, world, execution, result)
    return Move(kind, after, execution, result if isinstance(result, Outcome) else None, verdict)


def _answer_early(scenario: Scenario, world: World, execution: Execution, result: Outcome) -> Iterator[Move]:
    """Without "commit before answer": success is answered before COMMIT."""
    if scenario.has(Mechanism.COMMIT_BEFORE_ANSWER):
        return
    answered = deliver_answer(scenario, world, execution, result)
    still_running = with_execution(answered.running, execution._replace(abandoned=True))
    yield Move("answer", answered._replace(running=still_running), execution, result)


def _visible_rows(world: World, execution: Execution) -> dict[Key, Row]:
    """What the execution's transaction sees: committed rows and its own writes."""
    return world.rows.copy() | dict(execution.opened.writes)


def _run(scenario: Scenario, world: World, execution: Execution, statement: Statement) -> Iterator[Move]:
    seen = _visible_rows(world, execution)
    locks = needed_locks(statement, seen)
    holders = [e for e in world.running if e is not execution and e.opened.locks & locks]
    if holders:
        if _is_deadlock(scenario, world, holders, execution):
            restarted = execution._replace(log=(), opened=Opened())
            yield Move("deadlock", world._replace(running=with_execution(world.running, restarted)), execution)
        return
    try:
        found, writes = execute(statement, seen)
    except Violated:
        found, writes = Violated, {}
    merged = dict(execution.opened.writes) | writes
    opened = Opened(execution.opened.locks | locks, tuple(sorted(merged.items(), key=lambda item: str(item[0]))))
    stepped = execution._replace(log=(*execution.log, found), opened=opened)
    after = world._replace(running=with_execution(world.running, stepped))
    yield Move("statement", after, execution, statement=statement, found=found)


def _is_deadlock(scenario: Scenario, world: World, holders: list[Execution], waiting: Execution) -> bool:
    """Whether a holder waits, directly or not, for the one that waits. PostgreSQL then aborts one of them."""
    seen: set[tuple[int, str]] = set()
    while holders:
        holder = holders.pop()
        if (holder.client, holder.name) in seen:
            continue
        seen.add((holder.client, holder.name))
        blockers = _blockers(scenario, world, holder)
        if waiting in blockers:
            return True
        holders += blockers
    return False


def _blockers(scenario: Scenario, world: World, execution: Execution) -> list[Execution]:
    """The executions whose locks this one waits for."""
    if execution.outcome is not None:
        return []
    try:
        statement, _ = replay(next_transaction(scenario, execution), execution.log)
    except (Refused, *INTERNAL_ERRORS):
        return []
    if statement is None:
        return []
    locks = needed_locks(statement, _visible_rows(world, execution))
    return [e for e in world.running if e is not execution and e.opened.locks & locks]
