"""The environment of the long run: a PostgreSQL with fsync, a server of two processes, four client processes."""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import grpc

from tests.concurrency.client_pool import ClientPool, client_pool
from tests.support.clock import Clock
from tests.support.factories import AccountFactory, factory_for
from tests.support.fault_proxy import DatabaseProxy
from tests.support.providers.both import both
from tests.support.servers import Server, second_server
from twofactor_server.postgres import EmbeddedPostgres

SERVER_PROCESSES = 2


@dataclass(frozen=True)
class Environment:
    """Everything that an activity needs. ``proxied`` is a second server that reaches the database through ``proxy``."""

    folder: Path
    postgres: EmbeddedPostgres
    server: Server
    factory: AccountFactory
    clients: ClientPool
    proxied: Server
    proxy: DatabaseProxy


@contextlib.asynccontextmanager
async def environment() -> AsyncIterator[Environment]:
    """Run everything for the duration of the block."""
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
            clients = await open_stack.enter_async_context(client_pool(server.address))
            proxy = DatabaseProxy()
            url = await open_stack.enter_async_context(proxy.to(postgres.url))
            (folder / "proxied").mkdir()
            proxied = second_server(server, folder / "proxied", database_url=url)
            await asyncio.to_thread(proxied.start)
            open_stack.callback(proxied.kill)
            yield Environment(folder, postgres, server, factory_for(server, channel), clients, proxied, proxy)
