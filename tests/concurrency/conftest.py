"""Fixtures for concurrent calls: client processes, database snapshots, and the logs."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tests.concurrency.client_pool import ClientPool, client_pool
from tests.support.db_snapshot import SnapshotReader
from tests.support.servers import Server
from twofactor_server.postgres import EmbeddedPostgres


@pytest_asyncio.fixture(scope="session")
async def clients(server: Server) -> AsyncIterator[ClientPool]:
    """Client processes that call the server, started once."""
    async with client_pool(server.address) as started:
        yield started


@pytest_asyncio.fixture(scope="session")
async def db(server: Server, postgres: EmbeddedPostgres) -> AsyncIterator[SnapshotReader]:
    """The database of the server."""
    connection = await asyncpg.connect(postgres.administrator_url)
    yield SnapshotReader(connection)
    await connection.close()


@pytest_asyncio.fixture(scope="session")
async def database_log(db: SnapshotReader) -> Path:
    """The log of PostgreSQL."""
    data: str = await db.connection.fetchval("SHOW data_directory")
    return Path(data).parent / "postgres.log"


@pytest.fixture(autouse=True)
def no_errors_in_the_logs(server: Server, database_log: Path) -> Iterator[None]:
    """Locks decide the races. The logs have no deadlock that a retry would hide, no statement refused by a
    constraint or a timeout, no missed guard, and no call that ended in INTERNAL."""
    database_size, server_size = database_log.stat().st_size, len(server.log)
    yield
    with database_log.open("rb") as log:
        log.seek(database_size)
        assert b"ERROR:" not in (written := log.read()), written.decode()
    errors = [line for line in server.log[server_size:].splitlines() if " CRITICAL " in line or " ERROR " in line]
    assert not errors, errors
