"""Everything that can happen next: people, servers, crashes, lost answers."""

from collections.abc import Iterator
from typing import Any

from model.calls import INTERNAL, AppMovesOn, Outcome, Result, TenMinutesPass, Use
from model.completion import ERRORS
from model.database import Refused, Steps, run
from model.programs import first_phase, program
from model.rows import Rows
from model.statement_moves import statement_moves
from model.stepping import Move, answer, settle_step
from model.world import Client, Execution, Scenario, World, free_name, replaced, with_execution, without_execution

Taken = tuple[Rows, Result]


class Moves:
    """The moves of a scenario. Transactions are remembered by what they read: most states share theirs."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self._taken: dict[tuple[Any, ...], Taken] = {}

    def __call__(self, world: World) -> Iterator[Move]:
        """What can happen next."""
        ready = [e for e in world.running if e.outcome is not None] if self.scenario.prompt else []
        if ready:
            yield from self._hand_over(world, ready[0])
        else:
            yield from self._anything(world)

    def _hand_over(self, world: World, ready: Execution) -> Iterator[Move]:
        """The answer arrives, or is lost, or its server dies before it is sent."""
        assert ready.outcome is not None  # noqa: S101
        yield self._answer(world, ready, ready.outcome)
        if world.losses:
            yield self._give_up(world, ready.client, world.clients[ready.client])
        if world.crashes:
            yield self._crash(world, ready.server)

    def _anything(self, world: World) -> Iterator[Move]:
        for index, client in enumerate(world.clients):
            if not client.waiting:
                yield from self._begin(world, index, client)
            elif world.losses:
                yield self._give_up(world, index, client)
        for execution in world.running:
            if execution.outcome is not None:
                yield self._answer(world, execution, execution.outcome)
            elif self.scenario.fine:
                yield from statement_moves(self.scenario, world, execution)
            else:
                yield self._step(world, execution)
        if world.crashes:
            for server in sorted({execution.server for execution in world.running}):
                yield self._crash(world, server)

    def _begin(self, world: World, index: int, client: Client) -> Iterator[Move]:
        intent = self.scenario.intent(index, client.position)
        if intent is None or (isinstance(intent, Use) and intent.held and world.held != intent.code):
            return
        phase = first_phase(self.scenario.protocol, intent)
        if isinstance(intent, TenMinutesPass | AppMovesOn):
            _, rows = run(program(self.scenario.protocol, intent, phase, (), ""), world.rows)
            clients = replaced(world.clients, index, Client(client.position + 1))
            yield Move("time", index, -1, "", phase, world._replace(rows=rows, clients=clients))
            return
        waiting = replaced(world.clients, index, Client(client.position, tried=True, waiting=True))
        name = free_name(world, index)
        for offset in range(self.scenario.servers):
            server = (index + offset) % self.scenario.servers
            execution = Execution(index, client.position, server, phase, name)
            sent = world._replace(clients=waiting, running=with_execution(world.running, execution))
            if self.scenario.fine:
                yield Move("send", index, server, name, phase, sent)
            else:
                yield self._step(sent, execution)._replace(kind="send")

    def _give_up(self, world: World, index: int, client: Client) -> Move:
        waited = next(e for e in world.running if e.client == index and not e.abandoned)
        running = without_execution(world.running, waited)
        if waited.outcome is None:
            running = with_execution(running, waited._replace(abandoned=True))
        clients = replaced(world.clients, index, client._replace(waiting=False))
        after = world._replace(clients=clients, running=running, losses=world.losses - 1)
        return Move("give up", index, waited.server, waited.name, waited.phase, after, waited.outcome)

    def _answer(self, world: World, execution: Execution, outcome: Outcome) -> Move:
        after = answer(self.scenario, world, execution, outcome)
        return Move("answer", execution.client, execution.server, execution.name, execution.phase, after, outcome)

    def _crash(self, world: World, server: int) -> Move:
        lost = {e.client for e in world.running if e.server == server and not e.abandoned}
        clients = tuple(
            client._replace(waiting=False) if index in lost else client for index, client in enumerate(world.clients)
        )
        running = tuple(e for e in world.running if e.server != server)
        after = world._replace(clients=clients, running=running, crashes=world.crashes - 1)
        return Move("crash", -1, server, "", "", after)

    def _step(self, world: World, execution: Execution) -> Move:
        """A whole transaction, to its COMMIT."""
        rows, result = self._transact(world.rows, execution)
        after, verdict = settle_step(self.scenario, world._replace(rows=rows), execution, result)
        outcome = result if isinstance(result, Outcome) else None
        return Move(
            "step", execution.client, execution.server, execution.name, execution.phase, after, outcome, verdict
        )

    def _transact(self, rows: Rows, execution: Execution) -> Taken:
        key = (rows, execution.client, execution.position, execution.phase, execution.name, execution.facts)
        taken = self._taken.get(key)
        if taken is None:
            intent = self.scenario.doing(execution.client, execution.position)
            steps = program(self.scenario.protocol, intent, execution.phase, execution.facts, execution.name)
            taken = self._taken[key] = transact(steps, rows)
        return taken


def transact(steps: Steps[Result], rows: Rows) -> Taken:
    """Run the transaction: what is committed, and what came of it."""
    try:
        result, committed = run(steps, rows)
    except Refused as refused:
        return rows, Outcome(refused.reason, alarm=refused.alarm)
    except ERRORS:
        return rows, Outcome(INTERNAL)
    return committed, result
