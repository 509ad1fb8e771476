"""Databases for tests: copies of a migrated one, plain SQL, and storage functions in transactions of their own."""

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database, Transaction
from twofactor_server.storage.migrate import migrate

P = ParamSpec("P")
T = TypeVar("T")

_TEMPLATE = "migrated"


async def commit(
    database: Database,
    function: Callable[Concatenate[Transaction, P], Awaitable[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Call the storage function in a transaction of its own and commit."""
    async with database.transaction() as tx:
        return await function(tx, *args, **kwargs)


async def read(
    database: Database,
    function: Callable[Concatenate[Transaction, P], Awaitable[T]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Call the storage function outside a transaction."""
    async with database.reading() as tx:
        return await function(tx, *args, **kwargs)


async def migrated_database(postgres: EmbeddedPostgres) -> str:
    """The URL of a new database at the newest revision. It is migrated once for each PostgreSQL, then copied."""
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
    """The URL of another database of this PostgreSQL."""
    url = postgres.administrator_url if administrator else postgres.url
    return urlsplit(url)._replace(path=f"/{name}").geturl()


async def ask(url: str, statement: str, *values: Any) -> Any:
    """The first value of the result, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement, *values)
    finally:
        await connection.close()


async def rows(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """The rows of the result, on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        return [tuple(row) for row in await connection.fetch(statement, *values)]
    finally:
        await connection.close()
