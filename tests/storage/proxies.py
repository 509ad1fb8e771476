"""A wire to PostgreSQL that is cut at the worst moment."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

_COMMIT = b"COMMIT;"


class Cut(Enum):
    """When the wire is cut: NEVER; at COMMIT, BEFORE the server sees it, or AFTER it has carried it out."""

    NEVER = auto()
    BEFORE = auto()
    AFTER = auto()


@dataclass
class Wire:
    """``url`` leads through it; ``cut`` says what becomes of the next COMMIT, ``cuts`` counts what became of some."""

    url: str
    cut: Cut = Cut.NEVER
    cuts: int = 0
    conversations: set[asyncio.Task[None]] = field(default_factory=set)


@contextlib.asynccontextmanager
async def wire_to(url: str) -> AsyncIterator[Wire]:
    """A wire to the PostgreSQL at ``url`` (one on a unix socket)."""
    query = parse_qs(urlsplit(url).query)
    socket_name = f".s.PGSQL.{query['port'][0]}"
    with tempfile.TemporaryDirectory(prefix="wire-") as folder:
        wire = Wire(urlsplit(url)._replace(query=f"host={folder}&port={query['port'][0]}").geturl())

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            upstream = await asyncio.open_unix_connection(str(Path(query["host"][0]) / socket_name))
            directions = [
                asyncio.create_task(_requests(wire, reader, upstream[1])),
                asyncio.create_task(_answers(wire, upstream[0], writer)),
            ]
            try:
                await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for direction in directions:
                    direction.cancel()
                await asyncio.gather(*directions, return_exceptions=True)
                for end in (writer, upstream[1]):
                    end.close()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire.conversations.add(asyncio.create_task(converse(reader, writer)))

        server = await asyncio.start_unix_server(begin, str(Path(folder) / socket_name))
        try:
            yield wire
        finally:
            server.close()
            for conversation in wire.conversations:
                conversation.cancel()
            await asyncio.gather(*wire.conversations, return_exceptions=True)


async def _requests(wire: Wire, source: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        if _COMMIT in data and wire.cut is not Cut.NEVER:
            wire.cuts += 1
            if wire.cut is Cut.BEFORE:
                return
        server.write(data)
        await server.drain()


async def _answers(wire: Wire, source: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        if wire.cut is Cut.AFTER and b"COMMIT\0" in data:
            return
        client.write(data)
        await client.drain()
