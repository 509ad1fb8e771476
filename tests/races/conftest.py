"""Races: client processes, and a look at the database and at the logs beside them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import grpc
import pytest
import pytest_asyncio

from tests.people import People, people_of
from tests.races.ledger import Ledger
from tests.races.racers import Racers, racing
from tests.servers import Server
from twofactor_server.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def people(server: Server, channel: grpc.aio.Channel) -> People:
    """The same builders for all races: what they have read of the mail folder need not be read again each time."""
    return people_of(server, channel)


@pytest_asyncio.fixture(scope="session")
async def racers(server: Server) -> AsyncIterator[Racers]:
    """Client processes against the server of two processes, started once."""
    async with racing(server.address) as started:
        yield started


@pytest_asyncio.fixture(scope="session")
async def ledger(server: Server, postgres: EmbeddedPostgres) -> AsyncIterator[Ledger]:
    """The database of the server."""
    connection = await asyncpg.connect(postgres.administrator_url)
    yield Ledger(connection)
    await connection.close()


@pytest_asyncio.fixture(scope="session")
async def database_log(ledger: Ledger) -> Path:
    """Where PostgreSQL writes what it refused."""
    data: str = await ledger.connection.fetchval("SHOW data_directory")
    return Path(data).parent / "postgres.log"


@pytest.fixture(autouse=True)
def nothing_went_wrong(server: Server, database_log: Path) -> Iterator[None]:
    """The races are decided by the locks. No deadlock that a retry would hide, no statement refused by a constraint
    or a timeout, no guard missed, no call that ended in INTERNAL."""
    database_said, server_said = database_log.stat().st_size, len(server.log)
    yield
    with database_log.open("rb") as log:
        log.seek(database_said)
        assert b"ERROR:" not in (complaint := log.read()), complaint.decode()
    complaints = [line for line in server.log[server_said:].splitlines() if " CRITICAL " in line or " ERROR " in line]
    assert not complaints, complaints
