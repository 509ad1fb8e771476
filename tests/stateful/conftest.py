"""Random programs: how many, and what they are played with."""

from collections.abc import AsyncIterator

import asyncpg  # type: ignore[import-untyped]
import grpc
import pytest
import pytest_asyncio

from tests.races.ledger import Ledger
from tests.servers import Server
from tests.stateful.inbox import Inbox
from twofactor_server.postgres import EmbeddedPostgres

CHANNELS = 4
_OPTIONS = (
    # Without it, channels to one address share one connection, and so one server process.
    ("grpc.use_local_subchannel_pool", 1),
    # What the server says of a call is what the oracle is to explain.
    ("grpc.enable_retries", 0),
)


@pytest_asyncio.fixture(scope="session")
async def channels(server: Server) -> AsyncIterator[list[grpc.aio.Channel]]:
    """Channels to the server, to either of its processes."""
    opened = [grpc.aio.insecure_channel(server.address, options=_OPTIONS) for _ in range(CHANNELS)]
    yield opened
    for channel in opened:
        await channel.close()


@pytest.fixture(scope="session")
def inbox(server: Server) -> Inbox:
    """The mails that come from now on."""
    return Inbox(server.data_dir / "mail")


@pytest_asyncio.fixture(scope="session")
async def ledger(server: Server, postgres: EmbeddedPostgres) -> AsyncIterator[Ledger]:
    """The database of the server."""
    connection = await asyncpg.connect(postgres.administrator_url)
    yield Ledger(connection)
    await connection.close()
