"""States that differ in names only count as one: which server is the first, and which of several clients with the same
script.

Renaming is a symmetry of the moves and of the promises, so visiting one state of each class visits them all. Traces are
found without it, because it would rename clients in the middle of a trace.
"""

from typing import Any

from model.rows import Code, Key, Reply, Row, Rows, Session, Spent
from model.world import Execution, Scenario, World


class Symmetry:
    """Chooses one state of each class."""

    def __init__(self, scenario: Scenario) -> None:
        self._count = scenario.interchangeable
        self._own_challenges = scenario.own_challenges
        self._renamed: dict[tuple[Rows, tuple[int, ...]], Rows] = {}
        self._identity = tuple(range(self._count))

    def __call__(self, world: World) -> World:
        """The representative of the states that differ from this one in names only."""
        order = tuple(sorted(self._identity, key=lambda index: self._signature(world, index)))
        if order != self._identity:
            world = self._renumber(world, order)
        if world.running and world.running[0].server:
            servers = {world.running[0].server: 0, 0: world.running[0].server}
            running = tuple([e._replace(server=servers.get(e.server, e.server)) for e in world.running])
            world = world._replace(running=running)
        return world

    def _signature(self, world: World, index: int) -> tuple[Any, ...]:
        """Properties of a client that do not depend on its number. If clients that differ have the same signature, the
        search visits more states than it needs to, and misses none."""
        own = [e for e in world.running if e.client == index]
        running = tuple([(e.transaction, e.facts, e.outcome is None, e.abandoned, len(e.name)) for e in own])
        challenge = world.rows.get(("challenges", index + 1)) if self._own_challenges else ()
        return world.clients[index], running, challenge

    def _renumber(self, world: World, order: tuple[int, ...]) -> World:
        renaming = _Renaming(order, self._own_challenges)
        key = (world.rows, order)
        if key not in self._renamed:
            renamed = {renaming.key(row_key): renaming.row(row) for row_key, row in world.rows.items}
            self._renamed[key] = Rows.of(renamed)
        clients = tuple(world.clients[old] for old in order) + world.clients[self._count :]
        running = sorted((renaming.execution(e) for e in world.running), key=lambda e: (e.client, e.name))
        return world._replace(
            rows=self._renamed[key], clients=clients, running=tuple(running), known_code=renaming.code(world.known_code)
        )


class _Renaming:
    """New numbers for clients, for their own challenges, and for the codes that their calls generated."""

    def __init__(self, order: tuple[int, ...], own_challenges: bool) -> None:
        self._client = {old: new for new, old in enumerate(order)}
        self._number = {old + 1: new + 1 for old, new in self._client.items()} if own_challenges else {}
        self._letters = str.maketrans({ord("a") + old: chr(ord("a") + new) for old, new in self._client.items()})

    def code(self, code: Code | None) -> Code | None:
        """A generated code contains the letter of its execution."""
        return code.translate(self._letters) if code and code[0].isdigit() else code

    def key(self, key: Key) -> Key:
        match key:
            case ("challenges" | "sessions" as table, int(number)):
                return table, self._number.get(number, number)
            case ("backup_code_attempts" as table, int(number), str(code)):
                return table, self._number.get(number, number), self.code(code) or ""
            case ("replies" as table, str(scope), request) if scope.startswith("challenge "):
                number = int(scope.removeprefix("challenge "))
                return table, f"challenge {self._number.get(number, number)}", request
        return key

    def row(self, row: Row) -> Row:
        match row:
            case Session():
                number = self._number.get(row.challenge, row.challenge)
                opened_by = self.code(row.opened_by) or ""
                return row._replace(challenge=number, opened_by=opened_by, new_code=self.code(row.new_code))
            case Reply():
                content = self.code(row.content) or ""
                session = self._number.get(row.session, row.session)
                return row._replace(content=content, session=session, code=self.code(row.code))
            case Spent():
                return Spent(self.code(row.code) or "")
        return row._replace(code=self.code(row.code)) if hasattr(row, "generation") else row  # type: ignore[attr-defined]

    def execution(self, execution: Execution) -> Execution:
        outcome = execution.outcome
        if outcome is not None:
            number = outcome.session if outcome.session is None else self._number.get(outcome.session, outcome.session)
            outcome = outcome._replace(code=self.code(outcome.code), session=number)
        return execution._replace(
            client=self._client.get(execution.client, execution.client),
            name=execution.name.translate(self._letters),
            outcome=outcome,
        )
