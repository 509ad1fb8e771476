"""Brings the database to the schema that this server needs."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from twofactor_server.storage.address import driver_address
from twofactor_server.storage.migrations import HEAD

_LOCK = 0x2FA
"""The advisory lock under which one of several starting servers migrates while the others wait."""


class DatabaseAhead(Exception):
    """The database was migrated by a newer server; this one does not know its schema."""


class DatabaseUnreachable(Exception):
    """No connection to the database, or none that may change the schema."""


async def migrate(url: str) -> bool:
    """Run the revisions that are missing, in one transaction; True if there were any.

    Several servers may call it at once: one migrates, the others wait and find nothing to do. Raises
    DatabaseAhead and DatabaseUnreachable.
    """
    async with _connection(url) as connection:
        if await connection.run_sync(_revision) == HEAD:
            return False
        await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        if await connection.run_sync(_revision) == HEAD:
            return False
        await connection.run_sync(_upgrade)
        return True


async def database_time(url: str) -> datetime:
    """The database's own time. Raises DatabaseUnreachable."""
    async with _connection(url) as connection:
        moment: datetime = (await connection.execute(text("SELECT clock_timestamp()"))).scalar_one()
        return moment


@contextlib.asynccontextmanager
async def _connection(url: str) -> AsyncIterator[AsyncConnection]:
    """One connection and one transaction, committed at the end of the block."""
    try:
        address, arguments = driver_address(url)
    except ValueError as error:
        raise DatabaseUnreachable(f"TWOFACTOR_DATABASE_URL {error}.") from None
    engine = create_async_engine(address, poolclass=NullPool, connect_args=arguments)
    try:
        async with engine.begin() as connection:
            yield connection
    except (DBAPIError, OSError) as error:
        raise DatabaseUnreachable(f"the database cannot be used: {getattr(error, 'orig', error)}") from error
    finally:
        await engine.dispose()


def _revision(connection: Connection) -> str | None:
    # Asked without Alembic: importing it takes longer than everything else a warm start does here.
    try:
        with connection.begin_nested():
            revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return revision
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == "42P01":
            return None
        raise


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseAhead("the database has a schema that this version does not know") from error
