"""A database for each module, at the newest revision."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.storage.databases import migrated_database
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database


@pytest_asyncio.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> str:
    """A database that no other module sees."""
    return await migrated_database(postgres)


@pytest_asyncio.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The server's own way to it."""
    database = Database(database_url, pool_size=8)
    yield database
    # Bounded: a test that failed may have left a transaction waiting.
    await asyncio.wait_for(database.close(), 10)
