"""A transaction, statement by statement: what other transactions may come between, and who waits for whom."""

from collections.abc import Iterator

from model.calls import INTERNAL, OK, Outcome, Result
from model.completion import ERRORS
from model.database import Opened, Refused, Statement, Violated, execute, replay, wanted
from model.mechanisms import Mechanism
from model.programs import program
from model.rows import Key, Row
from model.stepping import Move, answer, settle_step
from model.world import Execution, Scenario, World, with_execution


def statement_moves(scenario: Scenario, world: World, execution: Execution) -> Iterator[Move]:
    """The next statement of the execution's transaction, or its COMMIT or ROLLBACK; nothing while it waits."""
    try:
        statement, result = _next(scenario, execution)
    except Refused as refused:
        yield _end(scenario, world, execution, "rollback", Outcome(refused.reason, alarm=refused.alarm))
        return
    except ERRORS:
        yield _end(scenario, world, execution, "rollback", Outcome(INTERNAL))
        return
    if statement is not None:
        yield from _run(scenario, world, execution, statement)
        return
    assert result is not None  # noqa: S101
    committed = world._replace(rows=world.rows.written(dict(execution.opened.writes)))
    yield _end(scenario, committed, execution, "commit", result)
    if isinstance(result, Outcome) and result.reason == OK and not execution.abandoned:
        yield from _answer_early(scenario, world, execution, result)


def _next(scenario: Scenario, execution: Execution) -> tuple[Statement | None, Result | None]:
    intent = scenario.doing(execution.client, execution.position)
    steps = program(scenario.protocol, intent, execution.phase, execution.facts, execution.name)
    return replay(steps, execution.log)


def _end(scenario: Scenario, world: World, execution: Execution, kind: str, result: Result) -> Move:
    after, verdict = settle_step(scenario, world, execution, result)
    outcome = result if isinstance(result, Outcome) else None
    return Move(kind, execution.client, execution.server, execution.name, execution.phase, after, outcome, verdict)


def _answer_early(scenario: Scenario, world: World, execution: Execution, result: Outcome) -> Iterator[Move]:
    """Without "commit before answer": success is told while COMMIT is still to come."""
    if scenario.protocol.has(Mechanism.COMMIT_BEFORE_ANSWER):
        return
    told = answer(scenario, world, execution, result)
    still = told._replace(running=with_execution(told.running, execution._replace(abandoned=True)))
    yield Move("answer", execution.client, execution.server, execution.name, execution.phase, still, result)


def _run(scenario: Scenario, world: World, execution: Execution, statement: Statement) -> Iterator[Move]:
    seen: dict[Key, Row] = world.rows.copy() | dict(execution.opened.writes)
    locks = wanted(statement, seen)
    holders = [e for e in world.running if e is not execution and e.opened.locks & locks]
    if holders:
        if _waits_for(scenario, world, holders, execution):
            restarted = execution._replace(log=(), opened=Opened())
            after = world._replace(running=with_execution(world.running, restarted))
            yield Move("deadlock", execution.client, execution.server, execution.name, execution.phase, after)
        return
    try:
        found, writes = execute(statement, seen)
    except Violated:
        found, writes = Violated, {}
    merged = dict(execution.opened.writes) | writes
    opened = Opened(execution.opened.locks | locks, tuple(sorted(merged.items(), key=lambda item: str(item[0]))))
    stepped = execution._replace(log=(*execution.log, found), opened=opened)
    after = world._replace(running=with_execution(world.running, stepped))
    yield Move(
        "statement", execution.client, execution.server, execution.name, execution.phase, after,
        statement=statement, found=found,
    )  # fmt: skip


def _waits_for(scenario: Scenario, world: World, holders: list[Execution], waiting: Execution) -> bool:
    """Whether one of the holders, in the end, waits for the one who waits. PostgreSQL then aborts one of them."""
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
    if execution.outcome is not None:
        return []
    try:
        statement, _ = _next(scenario, execution)
    except (Refused, *ERRORS):
        return []
    if statement is None:
        return []
    locks = wanted(statement, world.rows.copy() | dict(execution.opened.writes))
    return [e for e in world.running if e is not execution and e.opened.locks & locks]
