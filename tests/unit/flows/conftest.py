"""A flow harness on a database of its own for each module."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.storage.databases import migrated_database
from tests.unit.flows.harness import HASHING_THREADS, FlowHarness
from twofactor_server.crypto.hashing import Argon2id, Argon2Parameters, HashingQueue
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database


@pytest_asyncio.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> str:
    """A database that no other module uses."""
    return await migrated_database(postgres)


@pytest_asyncio.fixture
async def harness(database_url: str) -> AsyncIterator[FlowHarness]:
    database = Database(database_url, pool_size=8)
    hashing = HashingQueue(Argon2id(Argon2Parameters(memory_kib=64, time=1)), HASHING_THREADS)
    yield FlowHarness(database, hashing)
    hashing.close()
    await database.close()
