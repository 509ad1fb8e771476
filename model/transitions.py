"""A move, and the states that a transaction's result and an answer lead to."""

from typing import Any, NamedTuple

from model import backup_codes
from model.calls import OK, Action, Next, Outcome, Result, UseBackupCode
from model.database import Opened, Statement
from model.mechanisms import Mechanism
from model.world import (
    Client,
    Execution,
    Scenario,
    World,
    newer_code,
    replace_client,
    with_execution,
    without_execution,
)


class Move(NamedTuple):
    """One event.

    ``execution``: the one it concerns, before the move; a crash has a ``server`` instead. ``outcome``: the answer that
    was decided or delivered. ``verdict``: whether the verified code is right. ``statement``: the one that was run, with
    its result ``found``.
    """

    kind: str
    after: World
    execution: Execution | None = None
    outcome: Outcome | None = None
    verdict: bool | None = None
    statement: Statement | None = None
    found: Any = None
    server: int = -1

    @property
    def client(self) -> int:
        """The client that the move concerns; -1 for a crash."""
        return -1 if self.execution is None else self.execution.client

    @property
    def label(self) -> tuple[str, int, int, str]:
        """Identifies the move among all moves out of the same state."""
        if self.execution is None:
            return self.kind, -1, self.server, ""
        return self.kind, self.execution.client, self.execution.server, self.execution.name


def apply_result(scenario: Scenario, world: World, execution: Execution, result: Result) -> tuple[World, bool | None]:
    """The state after a transaction's result, and the verdict if a code was verified."""
    others = without_execution(world.running, execution)
    done = execution._replace(log=(), opened=Opened())
    if isinstance(result, Next):
        following, verdict = _follow(scenario, others, done, result)
        return world._replace(running=with_execution(others, following)), verdict
    refused_at_once = execution.transaction == backup_codes.ALL_IN_ONE and result.reason == "CODE_MISMATCH"
    verdict = False if refused_at_once else None
    if execution.abandoned:
        return world._replace(running=others), verdict
    return world._replace(running=with_execution(others, done._replace(outcome=result, facts=()))), verdict


def _follow(
    scenario: Scenario, others: tuple[Execution, ...], execution: Execution, result: Next
) -> tuple[Execution, bool | None]:
    """The execution at its next transaction. Argon2id runs between two transactions; concurrent calls with the same
    code on one server share its verdict."""
    if result.transaction != backup_codes.VERIFIED:
        return execution._replace(transaction=result.transaction, facts=result.facts), None
    use = scenario.action(execution)
    generation, code = result.facts
    right = isinstance(use, UseBackupCode) and code == use.code
    if not scenario.has(Mechanism.VERDICT_PER_GENERATION):
        right = right or any(_is_right_verdict(scenario, other, use, execution.server) for other in others)
    if not scenario.has(Mechanism.CHARGE_FIRST):
        return execution._replace(transaction=backup_codes.CHARGED_LATE, facts=(generation, right)), right
    transaction, facts = (backup_codes.REPLACED, (generation,)) if right else (backup_codes.REFUSED, ())
    return execution._replace(transaction=transaction, facts=facts), right


def _is_right_verdict(scenario: Scenario, other: Execution, use: Action, server: int) -> bool:
    """Whether the other execution has found the same code right, on the same server."""
    its_call = scenario.action(other)
    if not (isinstance(its_call, UseBackupCode) and isinstance(use, UseBackupCode)):
        return False
    return its_call.code == use.code and other.server == server and other.transaction == backup_codes.REPLACED


def deliver_answer(scenario: Scenario, world: World, execution: Execution, outcome: Outcome) -> World:
    """The client has its answer; the owner keeps a new code."""
    script, client = scenario.scripts[execution.client], world.clients[execution.client]
    ends = outcome.reason != OK and not script.continues_after_refusal
    position = len(script.actions) if ends else client.position + 1
    clients = replace_client(world.clients, execution.client, Client(position))
    known = newer_code(world.known_code, outcome.code) if script.owner and outcome.reason == OK else world.known_code
    return world._replace(clients=clients, running=without_execution(world.running, execution), known_code=known)
