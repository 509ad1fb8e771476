"""A wire between server and PostgreSQL that can break around a COMMIT."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qs, urlsplit

from tests.faults.wire import Ends, wire

_OF_FLOWS = (
    "second_factors",
    "INSERT INTO accounts",
    "INSERT INTO audit_events",
    "UPDATE first_factor_failures",
    "DELETE FROM first_factor_failures WHERE first_factor_failures.subject",
)
"""What tells a flow's transaction from those of delivery and housekeeping, which go on all the time."""


class Cut(Enum):
    """Where it breaks: COMMIT never reaches the database, or is carried out and never answered."""

    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()


@dataclass
class DatabaseWire:
    """Armed, it breaks at the n-th COMMIT of a flow, once."""

    cut: Cut | None = None
    countdown: int = 0

    def arm(self, cut: Cut, nth: int) -> None:
        """Break at the ``nth`` COMMIT of a flow from now on."""
        self.cut, self.countdown = cut, nth

    @contextlib.asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[str]:
        """The URL to connect to instead of that of a PostgreSQL behind a unix socket."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        socket = f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
        async with wire(lambda: asyncio.open_unix_connection(socket), self._pumps) as near:
            yield f"postgresql://{parts.username}@127.0.0.1:{near}{parts.path}?sslmode=disable"

    def due(self) -> Cut | None:
        """A flow commits; the cut, if it is this one's turn."""
        self.countdown -= 1
        if self.cut is None or self.countdown != 0:
            return None
        cut, self.cut = self.cut, None
        return cut

    def _pumps(self, ends: Ends) -> Sequence[Coroutine[None, None, None]]:
        conversation = _Conversation(self, ends)
        return conversation.questions(), conversation.answers()


@dataclass
class _Conversation:
    """One connection, read along in PostgreSQL's protocol: what each transaction ran, and when it commits."""

    owner: DatabaseWire
    ends: Ends
    prepared: dict[bytes, str] = field(default_factory=dict)
    of_flow: bool = False
    swallowing: bool = False

    async def questions(self) -> None:
        """The start-up message bears no type; every later one has a type, a length that counts itself, a body."""
        reader = self.ends.near[0]
        length = await reader.readexactly(4)
        await self._pass_on(length + await reader.readexactly(int.from_bytes(length, "big") - 4))
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
            if self._read(head[:1], body) and (cut := self.owner.due()):
                if cut is Cut.BEFORE_COMMIT:
                    return
                self.swallowing = True
            await self._pass_on(head + body)

    async def answers(self) -> None:
        """Everything, but for the answer to a COMMIT that is to be lost."""
        while data := await self.ends.far[0].read(65536):
            if self.swallowing:
                return
            self.ends.near[1].write(data)
            await self.ends.near[1].drain()

    def _read(self, kind: bytes, body: bytes) -> bool:
        """Follow one message; whether it is the COMMIT of a flow."""
        text = ""
        match kind:
            case b"P":
                name, query, _ = body.split(b"\0", 2)
                self.prepared[name] = query.decode()
            case b"B":
                text = self.prepared.get(body.split(b"\0", 2)[1], "")
            case b"Q":
                text = body.decode()
        if text.startswith("BEGIN"):
            self.of_flow = False
        self.of_flow = self.of_flow or any(mark in text for mark in _OF_FLOWS)
        return self.of_flow and text.startswith("COMMIT")

    async def _pass_on(self, message: bytes) -> None:
        self.ends.far[1].write(message)
        await self.ends.far[1].drain()
