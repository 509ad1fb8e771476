"""What a server's step leads to: the next step, a verdict on the way, or an answer."""

from typing import Any, NamedTuple

from model import backup_codes
from model.calls import OK, Intent, Next, Outcome, Result, Use
from model.database import Opened, Statement
from model.mechanisms import Mechanism
from model.world import (
    Client,
    Execution,
    Scenario,
    World,
    newer,
    replaced,
    with_execution,
    without_execution,
)


class Move(NamedTuple):
    """One thing that happens. ``phase``: the server's step that was taken; ``outcome``: what it decided; ``verdict``:
    whether a code was judged in it, and how; ``statement`` and ``found``: the one statement that was run."""

    kind: str
    client: int
    server: int
    name: str
    phase: str
    after: World
    outcome: Outcome | None = None
    verdict: bool | None = None
    statement: Statement | None = None
    found: Any = None

    @property
    def label(self) -> tuple[str, int, int, str]:
        """What tells this move from the others out of the same state."""
        return self.kind, self.client, self.server, self.name


def settle_step(scenario: Scenario, world: World, execution: Execution, result: Result) -> tuple[World, bool | None]:
    """The state once a step's result is known, and the verdict if a code was judged on the way."""
    others = without_execution(world.running, execution)
    done = execution._replace(log=(), opened=Opened())
    if isinstance(result, Next):
        following, verdict = _judge(scenario, others, done, result)
        return world._replace(running=with_execution(others, following)), verdict
    verdict = False if execution.phase == backup_codes.ALL_IN_ONE and result.reason == "CODE_MISMATCH" else None
    if execution.abandoned:
        return world._replace(running=others), verdict
    return world._replace(running=with_execution(others, done._replace(outcome=result, facts=()))), verdict


def _judge(
    scenario: Scenario, others: tuple[Execution, ...], execution: Execution, result: Next
) -> tuple[Execution, bool | None]:
    """Argon2id, between two transactions. Calls that race with one code on one server share one job and its verdict."""
    if result.phase != backup_codes.JUDGED:
        return execution._replace(phase=result.phase, facts=result.facts), None
    use = scenario.doing(execution.client, execution.position)
    generation, code = result.facts
    right = isinstance(use, Use) and code == use.code
    if not scenario.protocol.has(Mechanism.VERDICT_PER_GENERATION):
        right = right or any(_judged_right(scenario, other, use, execution.server) for other in others)
    if not scenario.protocol.has(Mechanism.CHARGE_BEFORE_VERDICT):
        return execution._replace(phase=backup_codes.CHARGED_LATE, facts=(generation, right)), right
    phase, facts = (backup_codes.REPLACED, (generation,)) if right else (backup_codes.REFUSED, ())
    return execution._replace(phase=phase, facts=facts), right


def _judged_right(scenario: Scenario, other: Execution, use: Intent, server: int) -> bool:
    theirs = scenario.doing(other.client, other.position)
    same = isinstance(theirs, Use) and isinstance(use, Use) and theirs.code == use.code and other.server == server
    return same and other.phase == backup_codes.REPLACED


def answer(scenario: Scenario, world: World, execution: Execution, outcome: Outcome) -> World:
    """The client has its answer; the owner writes down what is new."""
    script, client = scenario.scripts[execution.client], world.clients[execution.client]
    ended = outcome.reason != OK and not script.stubborn
    position = len(script.intents) if ended else client.position + 1
    clients = replaced(world.clients, execution.client, Client(position))
    held = newer(world.held, outcome.code) if script.owner and outcome.reason == OK else world.held
    return world._replace(clients=clients, running=without_execution(world.running, execution), held=held)
