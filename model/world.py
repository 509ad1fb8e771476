"""A scenario, and one state of it: what is committed, what the servers run, what the clients know and wait for."""

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from model.calls import Action, Outcome
from model.database import Opened
from model.mechanisms import Mechanism
from model.rows import Code, Key, Row, Rows, generation_of


class Client(NamedTuple):
    """A client at a position of its script. ``sent``: the call there was sent and is not answered; ``waiting``: the
    client still waits for the answer."""

    position: int = 0
    sent: bool = False
    waiting: bool = False


class Execution(NamedTuple):
    """A call on a server.

    ``transaction``: the one to run next; ``facts``: what earlier ones pass to it. ``name`` marks the codes that this
    execution generates. ``abandoned``: no client waits for the answer. ``log`` and ``opened``: the open transaction,
    where statements are explored one by one.
    """

    client: int
    position: int
    server: int
    transaction: str
    name: str
    facts: tuple[Any, ...] = ()
    outcome: Outcome | None = None
    abandoned: bool = False
    log: tuple[Any, ...] = ()
    opened: Opened = Opened()


class World(NamedTuple):
    """``known_code``: the newest backup code that the owner has. ``crashes``, ``losses``: how many may still occur."""

    rows: Rows
    clients: tuple[Client, ...]
    running: tuple[Execution, ...]
    known_code: Code | None
    crashes: int
    losses: int


@dataclass(frozen=True, slots=True)
class Script:
    """What a client does, in order. ``owner``: the account's owner uses it and learns its new codes. A refusal ends the
    script unless ``continues_after_refusal``."""

    who: str
    actions: tuple[Action, ...]
    owner: bool = True
    continues_after_refusal: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """The clients, the initial rows, and the number of faults.

    ``by_statement``: explore statement by statement instead of transaction by transaction. ``interchangeable``: how
    many clients, from the first, differ in their numbers only; ``own_challenges``: each of them uses the challenge of
    its number plus one. ``prompt_answers``: an answer that is ready is delivered, lost, or dies with its server before
    anything else happens. ``removed``: the mechanisms that a variant runs without.
    """

    name: str
    summary: str
    scripts: tuple[Script, ...]
    rows: dict[Key, Row] = field(hash=False)
    known_code: Code | None = "1"
    crashes: int = 2
    losses: int = 2
    servers: int = 2
    by_statement: bool = False
    interchangeable: int = 0
    own_challenges: bool = False
    prompt_answers: bool = True
    removed: frozenset[Mechanism] = frozenset()

    def start(self) -> World:
        """The initial state."""
        clients = tuple(Client() for _ in self.scripts)
        return World(Rows.of(self.rows), clients, (), self.known_code, self.crashes, self.losses)

    def has(self, mechanism: Mechanism) -> bool:
        return mechanism not in self.removed

    def action(self, execution: Execution) -> Action:
        """The call that the execution serves."""
        return self.scripts[execution.client].actions[execution.position]

    def next_action(self, client: int, position: int) -> Action | None:
        """The client's action at this position; None at the end of its script."""
        actions = self.scripts[client].actions
        return actions[position] if position < len(actions) else None


_BY_CLIENT = attrgetter("client", "name")


def newer_code(known: Code | None, shown: Code | None) -> Code | None:
    """The code with the higher generation, which is the one that the owner keeps."""
    if shown is None or (known is not None and generation_of(known) > generation_of(shown)):
        return known
    return shown


def replace_client(clients: tuple[Client, ...], index: int, client: Client) -> tuple[Client, ...]:
    return (*clients[:index], client, *clients[index + 1 :])


def without_execution(running: tuple[Execution, ...], gone: Execution) -> tuple[Execution, ...]:
    """The executions without that one; client and name identify an execution."""
    client, name = gone.client, gone.name
    return tuple([e for e in running if e.name != name or e.client != client])


def with_execution(running: tuple[Execution, ...], new: Execution) -> tuple[Execution, ...]:
    """The executions with that one added or updated, in order."""
    others = without_execution(running, new)
    return tuple(sorted((*others, new), key=_BY_CLIENT)) if others else (new,)


def free_name(world: World, client: int) -> str:
    """The first of a, a', a'' … that none of the client's running executions has."""
    taken = {e.name for e in world.running if e.client == client}
    name = chr(ord("a") + client)
    while name in taken:
        name += "'"
    return name
