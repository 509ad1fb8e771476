"""Transactions.

    async with database.transaction() as tx:
        row = await tx.fetch_row(_FIND, account_id=account_id)

The block commits at its end and rolls back when an exception leaves it. An error before COMMIT has changed nothing; an
error of COMMIT itself has an unknown outcome, and both are answered with a refusal that tells the caller to repeat the
call. Only taking a connection is retried here: a connection that died while it was idle is replaced unseen.
"""

from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any

import asyncpg

from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.storage.dsn import parse_dsn
from twofactor_server.storage.pool import ConnectionPool, PooledConnection, PoolExhausted
from twofactor_server.storage.statements import Statement

BEGIN_ATTEMPTS = 3
SERIALIZATION_FAILURES = frozenset({"40001", "40P01"})
WARNING = "01000"
LOST_CONNECTION = (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
"""What asyncpg raises when a connection is gone, or when it no longer knows the connection's state."""

DRIVER_ERRORS = (asyncpg.PostgresError, PoolExhausted, *LOST_CONNECTION)
_RETRY_AFTER = timedelta(seconds=1)


class StaleState(Exception):
    """A guarded write met another state than its lock had shown: the lock failed. The transaction rolls back."""


class Transaction:
    """An open READ COMMITTED transaction. Values are passed by the names of the statement's parameters."""

    __slots__ = ("_callbacks", "_driver")

    def __init__(self, driver: "asyncpg.Connection[Any]") -> None:
        self._driver = driver
        self._callbacks: list[Callable[[], None]] = []

    async def fetch_row(self, statement: Statement, **values: Any) -> Any:
        """The first row, a tuple with the columns' names; None if not found."""
        return await self._driver.fetchrow(statement.sql, *statement.arguments(values))

    async def fetch_all(self, statement: Statement, **values: Any) -> list[Any]:
        """Every row."""
        rows: list[Any] = await self._driver.fetch(statement.sql, *statement.arguments(values))
        return rows

    async def fetch_value(self, statement: Statement, **values: Any) -> Any:
        """The first column of the first row; None if there is no row."""
        return await self._driver.fetchval(statement.sql, *statement.arguments(values))

    async def execute(self, statement: Statement, **values: Any) -> int:
        """How many rows the statement inserted, updated or deleted."""
        status = await self._driver.execute(statement.sql, *statement.arguments(values))
        return int(status.rpartition(" ")[2])

    async def execute_one(self, statement: Statement, **values: Any) -> None:
        """Run a guarded write, which must change exactly one row; otherwise StaleState."""
        if await self.execute(statement, **values) != 1:
            raise StaleState

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once COMMIT is confirmed, and never if it is not."""
        self._callbacks.append(callback)

    def run_callbacks(self) -> None:
        """COMMIT is confirmed."""
        for callback in self._callbacks:
            callback()


class Database:
    """The database at a libpq URI. ``transaction`` for units of work, ``reading`` for statements that stand alone.

    Both raise DEPENDENCY_UNAVAILABLE (no connection, a timeout, or an unknown outcome) and CONFLICT (a deadlock or
    serialisation failure: nothing was changed).
    """

    def __init__(self, url: str, *, pool_size: int = 10, statement_cache: int = 500) -> None:
        self._pool = ConnectionPool(pool_size, parse_dsn(url), statement_cache=statement_cache)

    def transaction(self) -> "_TransactionBlock":
        """One transaction: committed at the end of the block, rolled back if an exception leaves it."""
        return _TransactionBlock(self._pool)

    def reading(self) -> "_ReadingBlock":
        """A connection in autocommit mode: each statement sees its own snapshot."""
        return _ReadingBlock(self._pool)

    async def close(self) -> None:
        """Close the pool; no transaction may be open."""
        await self._pool.close()


class _Block:
    """Takes a connection and gives it back."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._connection: PooledConnection

    async def _open(self, first: str) -> None:
        """Take a connection on which ``first`` succeeds."""
        for attempt in range(1, BEGIN_ATTEMPTS + 1):
            try:
                connection = await self._pool.acquire()
            except DRIVER_ERRORS as error:
                if attempt == BEGIN_ATTEMPTS or isinstance(error, PoolExhausted):
                    _raise_refusal(error)
                    raise
                continue
            try:
                if first:
                    await connection.driver.execute(first)
                self._connection = connection
                return
            except BaseException as error:
                self._drop(connection, error)
                if not isinstance(error, DRIVER_ERRORS):
                    raise
                if attempt == BEGIN_ATTEMPTS:
                    _raise_refusal(error)
                    raise

    def _drop(self, connection: PooledConnection, error: BaseException) -> None:
        connection.driver.terminate()
        self._pool.release(connection)
        if isinstance(error, DRIVER_ERRORS):
            # What ended this connection has likely ended the idle ones, too.
            self._pool.discard_idle()

    async def _end(self, error: BaseException | None) -> None:
        """Give the connection back; one whose state is not known is closed. A driver's error becomes a refusal."""
        if error is not None and _loses_connection(error):
            self._drop(self._connection, error)
        else:
            self._pool.release(self._connection)
        if isinstance(error, DRIVER_ERRORS):
            _raise_refusal(error)


class _TransactionBlock(_Block):
    async def __aenter__(self) -> Transaction:
        await self._open("BEGIN ISOLATION LEVEL READ COMMITTED")
        self._transaction = Transaction(self._connection.driver)
        return self._transaction

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self._commit()
            return
        if not _loses_connection(error):
            try:
                await self._connection.driver.execute("ROLLBACK")
            except BaseException as failure:
                # The server rolls back by itself when the connection is gone; the first error is the one to report.
                self._connection.driver.terminate()
                if not isinstance(failure, DRIVER_ERRORS):
                    self._pool.release(self._connection)
                    raise
        await self._end(error)

    async def _commit(self) -> None:
        self._connection.warnings.clear()
        try:
            await self._connection.driver.execute("COMMIT")
        except BaseException as error:
            self._drop(self._connection, error)
            if not isinstance(error, DRIVER_ERRORS):
                raise
            if _sqlstate(error) in SERIALIZATION_FAILURES:
                raise _conflict() from error
            # The server may have committed before its answer was lost.
            raise _unavailable() from error
        replicated = WARNING not in self._connection.warnings
        self._pool.release(self._connection)
        if not replicated:
            # Committed here, but not on the standby that was to confirm it: it may yet be lost.
            raise _unavailable()
        self._transaction.run_callbacks()


class _ReadingBlock(_Block):
    async def __aenter__(self) -> Transaction:
        await self._open("")
        return Transaction(self._connection.driver)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end(error)


def _loses_connection(error: BaseException) -> bool:
    """Whether the connection cannot be used after this error. A cancelled statement may still be running."""
    if not isinstance(error, Exception) or isinstance(error, LOST_CONNECTION):
        return True
    return (_sqlstate(error) or "").startswith(("08", "57P"))


def _sqlstate(error: BaseException) -> str | None:
    return getattr(error, "sqlstate", None)


def _raise_refusal(error: BaseException) -> None:
    """Raise the refusal that the caller is given. Returns if repeating the call cannot help: such an error is a bug."""
    state = _sqlstate(error) or ""
    if state in SERIALIZATION_FAILURES:
        raise _conflict() from error
    # 08 connection, 53 resources, 57 shut down or cancelled by a timeout, 55P03 no lock in time.
    unavailable = state[:2] in ("08", "53", "57") or state == "55P03"
    if unavailable or isinstance(error, (PoolExhausted, *LOST_CONNECTION)):
        raise _unavailable() from error


def _conflict() -> Refusal:
    return Refusal(Reason.CONFLICT, retry_after=_RETRY_AFTER)


def _unavailable() -> Refusal:
    return Refusal(Reason.DEPENDENCY_UNAVAILABLE, retry_after=_RETRY_AFTER)
