"""One state of the whole: what is committed, what runs on the servers, what people know and wait for."""

from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from model.calls import Intent, Outcome
from model.database import Opened
from model.mechanisms import FULL, Protocol
from model.rows import Code, Key, Row, Rows, generation_of


class Client(NamedTuple):
    """One person at one browser, following a script. ``tried``: the present call was sent, and not answered yet;
    ``waiting``: for its answer."""

    position: int = 0
    tried: bool = False
    waiting: bool = False


class Execution(NamedTuple):
    """One call on one server. ``facts``: what it remembers from its earlier steps; ``name``: its own, for the codes
    that it makes; ``abandoned``: nobody waits for its answer any more; ``log`` and ``opened``: the open transaction,
    where statements are explored one by one."""

    client: int
    position: int
    server: int
    phase: str
    name: str
    facts: tuple[Any, ...] = ()
    outcome: Outcome | None = None
    abandoned: bool = False
    log: tuple[Any, ...] = ()
    opened: Opened = Opened()


class World(NamedTuple):
    """``held``: the newest backup code that the owner has written down. ``crashes``, ``losses``: how many more."""

    rows: Rows
    clients: tuple[Client, ...]
    running: tuple[Execution, ...]
    held: Code | None
    crashes: int
    losses: int


@dataclass(frozen=True, slots=True)
class Script:
    """Who does what, in order. ``owner``: it is the account's owner, whose knowledge counts. A refused call ends the
    script unless ``stubborn``."""

    who: str
    intents: tuple[Intent, ...]
    owner: bool = True
    stubborn: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is explored: who does what, from which state on, with how many faults. ``fine``: statement by statement
    instead of transaction by transaction. ``alike``: the first so many clients differ in nothing but their numbers;
    ``own_challenges``: each is at a challenge of its own, of its number plus one. ``prompt``: an answer that is ready
    is delivered, lost, or dies with its server before anything else moves."""

    name: str
    about: str
    scripts: tuple[Script, ...]
    rows: dict[Key, Row] = field(hash=False)
    held: Code | None = "1"
    crashes: int = 2
    losses: int = 2
    servers: int = 2
    fine: bool = False
    alike: int = 0
    own_challenges: bool = False
    prompt: bool = True
    protocol: Protocol = FULL

    def start(self) -> World:
        """The first state."""
        clients = tuple(Client() for _ in self.scripts)
        return World(Rows.of(self.rows), clients, (), self.held, self.crashes, self.losses)

    def doing(self, client: int, position: int) -> Intent:
        """What the client does at this place of its script, which goes that far."""
        return self.scripts[client].intents[position]

    def intent(self, client: int, position: int) -> Intent | None:
        """What the client does at this place of its script; None at the end."""
        intents = self.scripts[client].intents
        return intents[position] if position < len(intents) else None


_BY_CLIENT = attrgetter("client", "name")


def newer(held: Code | None, shown: Code | None) -> Code | None:
    """The owner keeps the code with the higher number, and crosses the other out."""
    if shown is None or (held is not None and generation_of(held) > generation_of(shown)):
        return held
    return shown


def replaced(clients: tuple[Client, ...], index: int, client: Client) -> tuple[Client, ...]:
    """The clients with one of them changed."""
    return (*clients[:index], client, *clients[index + 1 :])


def without_execution(running: tuple[Execution, ...], gone: Execution) -> tuple[Execution, ...]:
    """The executions without that one. Clients' numbers and names tell them apart."""
    client, name = gone.client, gone.name
    return tuple([e for e in running if e.name != name or e.client != client])


def with_execution(running: tuple[Execution, ...], new: Execution) -> tuple[Execution, ...]:
    """The executions with that one in its present state, in their order."""
    others = without_execution(running, new)
    return tuple(sorted((*others, new), key=_BY_CLIENT)) if others else (new,)


def free_name(world: World, client: int) -> str:
    """The first of a, a', a'' … that no execution of the client bears now."""
    taken = {e.name for e in world.running if e.client == client}
    name = chr(ord("a") + client)
    while name in taken:
        name += "'"
    return name
