"""Databases of their own for tests, copies of one that was migrated, and a plain way to ask them."""

from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]

from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.migrate import migrate

_TEMPLATE = "migrated"


async def migrated_database(postgres: EmbeddedPostgres) -> str:
    """The URL of a new database at the newest revision; made once by the migrations, then copied."""
    template = url_of(postgres, _TEMPLATE)
    if not await ask(postgres.url, "SELECT 1 FROM pg_database WHERE datname = $1", _TEMPLATE):
        await create_database(postgres, _TEMPLATE)
        await migrate(template)
    return await create_database(postgres, f"test_{uuid4().hex}", template=_TEMPLATE)


async def create_database(postgres: EmbeddedPostgres, name: str, template: str = "template1") -> str:
    """The URL of a new database."""
    await ask(postgres.url, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    return url_of(postgres, name)


def url_of(postgres: EmbeddedPostgres, name: str, *, administrator: bool = False) -> str:
    """Another database of this PostgreSQL."""
    url = postgres.administrator_url if administrator else postgres.url
    return urlsplit(url)._replace(path=f"/{name}").geturl()


async def ask(url: str, statement: str, *values: Any) -> Any:
    """The first value of the answer, over a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


async def rows(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The whole answer, over a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()
