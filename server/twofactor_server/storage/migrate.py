"""Brings the database to the schema that this version of the server needs."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg

from twofactor_server.storage.database import LOST_CONNECTION
from twofactor_server.storage.dsn import parse_dsn
from twofactor_server.storage.migrations import HEAD

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK = 0x2FA
"""The advisory lock that lets one of several starting servers migrate while the others wait."""


class DatabaseAhead(Exception):
    """The database was migrated by a newer version of the server, which has revisions that this one does not know."""


class DatabaseUnreachable(Exception):
    """The database cannot be connected to, or does not allow its schema to be changed."""


async def migrate(url: str) -> bool:
    """Run the missing revisions in one transaction; False if there were none.

    Several servers may call it at the same time: one migrates, the others wait and find nothing to do. Raises
    DatabaseAhead and DatabaseUnreachable.
    """
    async with _connection(url) as connection:
        if await _revision(connection) == HEAD:
            return False
    return await _upgrade(url)


async def database_time(url: str) -> datetime:
    """The database's own time. Raises DatabaseUnreachable."""
    async with _connection(url) as connection:
        time: datetime = await connection.fetchval("SELECT clock_timestamp()")
        return time


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    arguments = _arguments(url)
    try:
        connection = await asyncpg.connect(**arguments)
        try:
            yield connection
        finally:
            await connection.close()
    except (asyncpg.PostgresError, *LOST_CONNECTION) as error:
        raise _unreachable(error) from error


def _arguments(url: str) -> dict[str, Any]:
    try:
        return parse_dsn(url)
    except ValueError as error:
        raise DatabaseUnreachable(f"TWOFACTOR_DATABASE_URL {error}.") from None


def _unreachable(error: BaseException) -> DatabaseUnreachable:
    return DatabaseUnreachable(f"the database cannot be used: {error}")


async def _revision(connection: "asyncpg.Connection[Any]") -> str | None:
    try:
        revision: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    return revision


async def _upgrade(url: str) -> bool:
    # Imported here: most starts find nothing to do, and the imports would take most of their time.
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    engine = create_async_engine("postgresql+asyncpg://", poolclass=NullPool, connect_args=_arguments(url))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(_run_revisions)
    except DBAPIError as error:
        raise _unreachable(error.orig or error) from error
    except OSError as error:
        raise _unreachable(error) from error
    finally:
        await engine.dispose()


def _run_revisions(connection: "Connection") -> bool:
    from alembic import command
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.util import CommandError
    from sqlalchemy import text

    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if MigrationContext.configure(connection).get_current_revision() == HEAD:
        return False
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseAhead("the database has a schema that this version does not know") from error
    return True
