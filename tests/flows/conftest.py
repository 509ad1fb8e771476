"""The flows put together on a real database, with a clock that tests set and no network around them."""

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.flows.house import THREADS, House
from tests.storage.databases import migrated_database
from twofactor_server.crypto.hashing import Argon2id, Argon2Parameters, HashingQueue
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database


@pytest_asyncio.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> str:
    """A database that no other module sees."""
    return await migrated_database(postgres)


@pytest_asyncio.fixture
async def house(database_url: str) -> AsyncIterator[House]:
    """One server's inside, for one test."""
    database = Database(database_url, pool_size=8)
    hashing = HashingQueue(Argon2id(Argon2Parameters(memory_kib=64, time=1)), THREADS)
    yield House(database, hashing)
    hashing.close()
    await database.close()
