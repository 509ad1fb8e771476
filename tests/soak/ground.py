"""What the long run stands on: a PostgreSQL that waits for the disk, a server of two processes, four racing clients."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc

from tests.faults.database_wire import DatabaseWire
from tests.faults.faults import beside
from tests.people import People, people_of
from tests.providers.both import both
from tests.races.racers import Racers, racing
from tests.servers import Clock, Server
from twofactor_server.postgres import EmbeddedPostgres

SERVER_PROCESSES = 2


@dataclass(frozen=True)
class Ground:
    """Everything that an activity needs. ``wired`` is a second server, whose way to the database can break."""

    folder: Path
    postgres: EmbeddedPostgres
    server: Server
    people: People
    racers: Racers
    wired: Server
    wire: DatabaseWire


@contextlib.asynccontextmanager
async def standing() -> AsyncIterator[Ground]:
    """The ground, for the time of the block."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="twofactor-soak-"))).resolve()
        folder.chmod(0o711)
        settings = {"max_connections": "200"}
        postgres = stack.enter_context(EmbeddedPostgres(folder / "data", lambda _: None, settings=settings))
        clock = Clock(folder / "now")
        known = stack.enter_context(both(lambda: clock.now.timestamp()))
        server = Server(folder / "server", postgres.url, clock, workers=SERVER_PROCESSES, providers=known).start()
        stack.callback(server.kill)
        async with contextlib.AsyncExitStack() as open_stack:
            channel = await open_stack.enter_async_context(grpc.aio.insecure_channel(server.address))
            racers = await open_stack.enter_async_context(racing(server.address))
            wire = DatabaseWire()
            url = await open_stack.enter_async_context(wire.to(postgres.url))
            (folder / "wired").mkdir()
            wired = beside(server, folder / "wired", database_url=url)
            await asyncio.to_thread(wired.start)
            open_stack.callback(wired.kill)
            yield Ground(folder, postgres, server, people_of(server, channel), racers, wired, wire)
