"""States that differ only in names are one state: it does not matter which server is called the first, nor which of
several clients who do the same.

Renaming is a symmetry of the moves and of the promises, so visiting one state of each kind visits them all. Stories
are told without it, because it would rename people halfway through.
"""

from typing import Any

from model.rows import Code, Key, Reply, Row, Rows, Session, Spent
from model.world import Execution, Scenario, World


class Symmetry:
    """Chooses one state of each kind."""

    def __init__(self, scenario: Scenario) -> None:
        self._alike = scenario.alike
        self._own_challenges = scenario.own_challenges
        self._renamed: dict[tuple[Rows, tuple[int, ...]], Rows] = {}
        self._still = tuple(range(self._alike))

    def __call__(self, world: World) -> World:
        """The state that stands for all that differ from this one in names only."""
        order = tuple(sorted(self._still, key=lambda index: self._looks_of(world, index)))
        if order != self._still:
            world = self._renumber(world, order)
        if world.running and world.running[0].server:
            servers = {world.running[0].server: 0, 0: world.running[0].server}
            running = tuple([e._replace(server=servers.get(e.server, e.server)) for e in world.running])
            world = world._replace(running=running)
        return world

    def _looks_of(self, world: World, index: int) -> tuple[Any, ...]:
        """Something about a client that does not depend on its number. Equal for unlike clients: nothing is lost but
        a little of the saving."""
        mine = [e for e in world.running if e.client == index]
        running = tuple([(e.phase, e.facts, e.outcome is None, e.abandoned, len(e.name)) for e in mine])
        challenge = world.rows.get(("challenges", index + 1)) if self._own_challenges else ()
        return world.clients[index], running, challenge

    def _renumber(self, world: World, order: tuple[int, ...]) -> World:
        naming = _Naming(order, self._own_challenges)
        key = (world.rows, order)
        if key not in self._renamed:
            renamed = {naming.key(at): naming.row(row) for at, row in world.rows.items}
            self._renamed[key] = Rows.of(renamed)
        clients = tuple(world.clients[old] for old in order) + world.clients[self._alike :]
        running = sorted((naming.execution(e) for e in world.running), key=lambda e: (e.client, e.name))
        return world._replace(
            rows=self._renamed[key], clients=clients, running=tuple(running), held=naming.code(world.held)
        )


class _Naming:
    """New numbers for clients, for the challenges that are theirs, and for the codes that their calls made."""

    def __init__(self, order: tuple[int, ...], own_challenges: bool) -> None:
        self._client = {old: new for new, old in enumerate(order)}
        self._number = {old + 1: new + 1 for old, new in self._client.items()} if own_challenges else {}
        self._letters = str.maketrans({ord("a") + old: chr(ord("a") + new) for old, new in self._client.items()})

    def code(self, code: Code | None) -> Code | None:
        """A code that a call made bears the call's letter."""
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
                return row._replace(challenge=number, opened_by=opened_by, shown=self.code(row.shown))
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
