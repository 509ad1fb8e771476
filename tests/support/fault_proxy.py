"""Proxies on loopback that lose an answer of the server, or cut a connection to PostgreSQL around a COMMIT."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qs, urlsplit

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Connection:
    """One proxied connection: the streams to the client and to the server."""

    client: Streams
    server: Streams

    def abort(self) -> None:
        """Break the connection without an orderly end."""
        for _, writer in (self.client, self.server):
            writer.transport.abort()


Forwarders = Callable[[Connection], Sequence[Coroutine[None, None, None]]]


@contextlib.asynccontextmanager
async def proxy(
    connect: Callable[[], Awaitable[Streams]], forwarders: Forwarders, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Listen on a port of loopback, which is yielded. A connection lasts until the first of its forwarders ends."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        serving.add(task)
        task.add_done_callback(serving.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            connection = Connection((reader, writer), await connect())
            running = [asyncio.create_task(_until_broken(one)) for one in forwarders(connection)]
            try:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            finally:
                connection.abort()
                for one in running:
                    one.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def forward(source: Streams, target: Streams) -> None:
    """Forward everything unchanged."""
    while data := await source[0].read(65536):
        target[1].write(data)
        await target[1].drain()


async def _until_broken(forwarder: Coroutine[None, None, None]) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await forwarder


_HEADERS_FRAME = 1
_END_STREAM = 1


@dataclass
class AnswerProxy:
    """A gRPC proxy. While ``armed``, it drops the next complete answer and breaks the connection."""

    armed: bool = False

    @contextlib.asynccontextmanager
    async def to(self, address: str) -> AsyncIterator[str]:
        """Proxy this address; yields the address to call instead."""
        host, _, port = address.rpartition(":")
        async with proxy(lambda: asyncio.open_connection(host, int(port)), self._forwarders) as own_port:
            yield f"127.0.0.1:{own_port}"

    def _forwarders(self, connection: Connection) -> Sequence[Coroutine[None, None, None]]:
        return forward(connection.client, connection.server), self._answers(connection)

    async def _answers(self, connection: Connection) -> None:
        """Read HTTP/2 frames (RFC 9113 §4.1): a HEADERS frame with END_STREAM completes an answer."""
        while True:
            head = await connection.server[0].readexactly(9)
            body = await connection.server[0].readexactly(int.from_bytes(head[:3], "big"))
            if not self.armed:
                connection.client[1].write(head + body)
                await connection.client[1].drain()
            elif head[3] == _HEADERS_FRAME and head[4] & _END_STREAM:
                self.armed = False
                return


class Cut(Enum):
    """Where the connection is cut: COMMIT does not reach PostgreSQL, or it is executed and its answer is lost."""

    BEFORE_COMMIT = auto()
    AFTER_COMMIT = auto()


FLOW_STATEMENTS = (
    "second_factors",
    "INSERT INTO accounts",
    "INSERT INTO audit_events",
    "UPDATE first_factor_failures",
    "DELETE FROM first_factor_failures WHERE first_factor_failures.subject",
)
"""Parts of statements that only transactions of flows execute, never the background tasks."""


@dataclass
class DatabaseProxy:
    """A proxy to PostgreSQL. Armed, it cuts the connection once, at the n-th COMMIT of a matching transaction.

    A transaction matches if it executes a statement that contains one of ``statements``.
    """

    statements: Sequence[str] = FLOW_STATEMENTS
    cut: Cut | None = None
    countdown: int = 0

    def arm(self, cut: Cut, nth: int = 1) -> None:
        """Cut at the ``nth`` matching COMMIT from now on."""
        self.cut, self.countdown = cut, nth

    @contextlib.asynccontextmanager
    async def to(self, url: str) -> AsyncIterator[str]:
        """Proxy the PostgreSQL on a unix socket at this URL; yields the URL to connect to instead."""
        parts = urlsplit(url)
        query = parse_qs(parts.query)
        socket = f"{query['host'][0]}/.s.PGSQL.{query.get('port', ['5432'])[0]}"
        async with proxy(lambda: asyncio.open_unix_connection(socket), self._forwarders) as own_port:
            yield f"postgresql://{parts.username}@127.0.0.1:{own_port}{parts.path}?sslmode=disable"

    def take_cut(self) -> Cut | None:
        """Count one matching COMMIT; returns the cut if it is due now."""
        self.countdown -= 1
        if self.cut is None or self.countdown != 0:
            return None
        cut, self.cut = self.cut, None
        return cut

    def _forwarders(self, connection: Connection) -> Sequence[Coroutine[None, None, None]]:
        session = _PostgresSession(self, connection)
        return session.forward_requests(), session.forward_answers()


@dataclass
class _PostgresSession:
    """One connection in PostgreSQL's protocol, with what the current transaction has executed."""

    owner: DatabaseProxy
    connection: Connection
    prepared: dict[bytes, str] = field(default_factory=dict)
    matches: bool = False
    drop_answers: bool = False

    async def forward_requests(self) -> None:
        """The start-up message has no type; every later one has a type, a length that includes itself, and a body."""
        reader = self.connection.client[0]
        length = await reader.readexactly(4)
        await self._send(length + await reader.readexactly(int.from_bytes(length, "big") - 4))
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
            if self._is_matching_commit(head[:1], body) and (cut := self.owner.take_cut()):
                if cut is Cut.BEFORE_COMMIT:
                    return
                self.drop_answers = True
            await self._send(head + body)

    async def forward_answers(self) -> None:
        """Forward all answers except the one to a COMMIT that is to be lost."""
        while data := await self.connection.server[0].read(65536):
            if self.drop_answers:
                return
            self.connection.client[1].write(data)
            await self.connection.client[1].drain()

    def _is_matching_commit(self, kind: bytes, body: bytes) -> bool:
        statement = ""
        match kind:
            case b"P":
                name, query, _ = body.split(b"\0", 2)
                self.prepared[name] = query.decode()
            case b"B":
                statement = self.prepared.get(body.split(b"\0", 2)[1], "")
            case b"Q":
                statement = body.decode()
        if statement.startswith("BEGIN"):
            self.matches = False
        self.matches = self.matches or any(part in statement for part in self.owner.statements)
        return self.matches and statement.startswith("COMMIT")

    async def _send(self, message: bytes) -> None:
        self.connection.server[1].write(message)
        await self.connection.server[1].drain()
