"""Everything that can happen next: clients, servers, crashes, lost answers."""

from collections.abc import Iterator
from typing import Any

from model.calls import INTERNAL, Action, ChallengesExpire, Outcome, Result, TotpCodeExpires, UseBackupCode
from model.database import Refused, Steps, run
from model.programs import TIME, first_transaction, next_transaction
from model.rows import Rows
from model.statement_moves import statement_moves
from model.statements import INTERNAL_ERRORS
from model.transitions import Move, apply_result, deliver_answer
from model.world import (
    Client,
    Execution,
    Scenario,
    World,
    free_name,
    replace_client,
    with_execution,
    without_execution,
)

Transacted = tuple[Rows, Result]


class Moves:
    """The moves of a scenario. Caches each transaction by what it reads, because most states share theirs."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._cache: dict[tuple[Any, ...], Transacted] = {}

    def __call__(self, world: World) -> Iterator[Move]:
        """The moves out of this state."""
        ready = [e for e in world.running if e.outcome is not None] if self.scenario.prompt_answers else []
        if ready:
            yield from self._finish_call(world, ready[0])
        else:
            yield from self._all_moves(world)

    def _finish_call(self, world: World, ready: Execution) -> Iterator[Move]:
        """The answer arrives, or is lost, or its server crashes before it is sent."""
        yield self._answer(world, ready)
        if world.losses:
            yield self._give_up(world, ready.client, world.clients[ready.client])
        if world.crashes:
            yield self._crash(world, ready.server)

    def _all_moves(self, world: World) -> Iterator[Move]:
        for index, client in enumerate(world.clients):
            if not client.waiting:
                yield from self._begin(world, index, client)
            elif world.losses:
                yield self._give_up(world, index, client)
        for execution in world.running:
            if execution.outcome is not None:
                yield self._answer(world, execution)
            elif self.scenario.by_statement:
                yield from statement_moves(self.scenario, world, execution)
            else:
                yield self._transact(world, execution)
        if world.crashes:
            for server in sorted({execution.server for execution in world.running}):
                yield self._crash(world, server)

    def _begin(self, world: World, index: int, client: Client) -> Iterator[Move]:
        action = self.scenario.next_action(index, client.position)
        if action is None or _lacks_code(world, action):
            return
        if isinstance(action, ChallengesExpire | TotpCodeExpires):
            yield self._pass_time(world, index, client)
            return
        waiting = replace_client(world.clients, index, Client(client.position, sent=True, waiting=True))
        transaction = first_transaction(action, self.scenario.removed)
        name = free_name(world, index)
        for offset in range(self.scenario.servers):
            server = (index + offset) % self.scenario.servers
            execution = Execution(index, client.position, server, transaction, name)
            sent = world._replace(clients=waiting, running=with_execution(world.running, execution))
            if self.scenario.by_statement:
                yield Move("send", sent, execution)
            else:
                yield self._transact(sent, execution)._replace(kind="send")

    def _pass_time(self, world: World, index: int, client: Client) -> Move:
        clock = Execution(index, client.position, -1, TIME, "")
        _, rows = run(next_transaction(self.scenario, clock), world.rows)
        clients = replace_client(world.clients, index, Client(client.position + 1))
        return Move("time", world._replace(rows=rows, clients=clients), clock)

    def _give_up(self, world: World, index: int, client: Client) -> Move:
        """The client stops waiting; the server goes on."""
        waited = next(e for e in world.running if e.client == index and not e.abandoned)
        running = without_execution(world.running, waited)
        if waited.outcome is None:
            running = with_execution(running, waited._replace(abandoned=True))
        clients = replace_client(world.clients, index, client._replace(waiting=False))
        after = world._replace(clients=clients, running=running, losses=world.losses - 1)
        return Move("give up", after, waited, waited.outcome)

    def _answer(self, world: World, execution: Execution) -> Move:
        assert execution.outcome is not None  # noqa: S101
        after = deliver_answer(self.scenario, world, execution, execution.outcome)
        return Move("answer", after, execution, execution.outcome)

    def _crash(self, world: World, server: int) -> Move:
        lost = {e.client for e in world.running if e.server == server and not e.abandoned}
        clients = tuple(
            client._replace(waiting=False) if index in lost else client for index, client in enumerate(world.clients)
        )
        running = tuple(e for e in world.running if e.server != server)
        after = world._replace(clients=clients, running=running, crashes=world.crashes - 1)
        return Move("crash", after, server=server)

    def _transact(self, world: World, execution: Execution) -> Move:
        """A whole transaction, up to its COMMIT or ROLLBACK."""
        e = execution
        key = (world.rows, e.client, e.position, e.transaction, e.name, e.facts)
        transacted = self._cache.get(key)
        if transacted is None:
            transacted = self._cache[key] = transact(next_transaction(self.scenario, execution), world.rows)
        rows, result = transacted
        after, verdict = apply_result(self.scenario, world._replace(rows=rows), execution, result)
        return Move("transact", after, execution, result if isinstance(result, Outcome) else None, verdict)


def _lacks_code(world: World, action: Action) -> bool:
    """Whether the action has to wait until the owner holds its code."""
    return isinstance(action, UseBackupCode) and action.once_held and world.known_code != action.code


def transact(transaction: Steps[Result], rows: Rows) -> Transacted:
    """Run the transaction: the committed rows, and its result."""
    try:
        result, committed = run(transaction, rows)
    except Refused as refused:
        return rows, Outcome(refused.reason, alarm=refused.alarm)
    except INTERNAL_ERRORS:
        return rows, Outcome(INTERNAL)
    return committed, result
