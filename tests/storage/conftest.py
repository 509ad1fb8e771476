"""A migrated database for each module."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from tests.storage.databases import migrated_database
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database


@pytest_asyncio.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> str:
    """The URL of the module's own database."""
    return await migrated_database(postgres)


@pytest_asyncio.fixture(scope="module")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The module's database, as the server uses it."""
    database = Database(database_url, pool_size=8)
    yield database
    # A failed test may have left a connection open, which must not block the other modules.
    await asyncio.wait_for(database.close(), 10)
