"""The connection pool, and the one way to run a transaction.

A unit of work runs in a task of its own, shielded from the caller's cancellation: a client that hangs up between
the write and the commit undoes nothing and leaves nothing half done. An error before COMMIT is known to have
changed nothing and is retried where that can help; an error of COMMIT itself has an unknown outcome and never is.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.storage.address import driver_address

T = TypeVar("T")
logger = logging.getLogger(__name__)

TRIES = 3
SERIALIZATION = frozenset({"40001", "40P01"})
UNIQUE_VIOLATION = "23505"
WARNING = "01000"
OUTCOME_CAP = 10.0
"""Seconds after which the answer is "unknown" although the transaction may still commit."""

_RETRY_AFTER = timedelta(seconds=1)
_WARNINGS = "sqlstates of warnings"
_SESSION_SETTINGS = {
    "application_name": "twofactor",
    "timezone": "UTC",
    "statement_timeout": "5000",
    "lock_timeout": "4000",
    "idle_in_transaction_session_timeout": "10000",
}


class Transaction:
    """An open READ COMMITTED transaction: the only thing that can read for update and write."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._callbacks: list[Callable[[], None]] = []
        self.execute = connection.execute
        self.scalar = connection.scalar

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Call back once COMMIT is confirmed; never if it is not."""
        self._callbacks.append(callback)

    def committed(self) -> None:
        """COMMIT is confirmed."""
        for callback in self._callbacks:
            callback()


Work = Callable[[Transaction], Awaitable[T]]


class Database:
    """The pool. ``transact`` for units of work, ``read`` for single statements."""

    def __init__(self, url: str, *, pool_size: int = 10, statement_cache: int = 500) -> None:
        address, arguments = driver_address(url)
        self._engine: AsyncEngine = create_async_engine(
            address,
            # A failed statement must not carry its values, hashes and digests, into a log.
            hide_parameters=True,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=5.0,
            pool_recycle=1800,
            connect_args={
                **arguments,
                "statement_cache_size": statement_cache,
                "prepared_statement_cache_size": statement_cache,
                "timeout": 5.0,
                "server_settings": _SESSION_SETTINGS,
            },
        )
        self._reading = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self._running: set[asyncio.Task[Any]] = set()
        event.listen(self._engine.sync_engine, "connect", _collect_warnings)

    async def transact(self, work: Work[T]) -> T:
        """Run ``work`` in one transaction and return what it returned, after COMMIT was confirmed.

        A Refusal raised in it rolls back: raise what must leave nothing behind, *return* what must be kept (a
        charged attempt). ``work`` may run up to three times and must have no effect but its statements. Raises
        DEPENDENCY_UNAVAILABLE (no connection, or the outcome is unknown) and CONFLICT (retries spent).
        """
        return await self._shielded(self._transact(work))

    async def read(self, work: Work[T]) -> T:
        """Run ``work`` without a transaction around its statements; for reads that stand alone."""
        return await self._shielded(self._read(work))

    async def close(self) -> None:
        """Wait for running transactions, then close the pool."""
        while self._running:
            await asyncio.wait(self._running)
        await self._engine.dispose()

    async def _shielded(self, work: Awaitable[T]) -> T:
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._forget)
        done, _ = await asyncio.wait({task}, timeout=OUTCOME_CAP)
        if not done:
            raise _unavailable()
        return task.result()

    def _forget(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, Refusal):
            logger.debug("a unit of work failed", exc_info=error)

    async def _transact(self, work: Work[T]) -> T:
        refusal = _unavailable()
        for _ in range(TRIES):
            try:
                return await self._once(work)
            except (DBAPIError, PoolTimeout, OSError) as error:
                refusal = _refusal_for(error)
        raise refusal

    async def _once(self, work: Work[T]) -> T:
        async with self._engine.connect() as connection:
            commit = await connection.begin()
            transaction = Transaction(connection)
            result = await work(transaction)
            warnings: set[str] = connection.info[_WARNINGS]
            warnings.clear()
            try:
                await commit.commit()
            except DBAPIError as error:
                # An answer of the server is a refusal to commit; silence may be a commit whose answer was lost.
                if sqlstate(error) in SERIALIZATION:
                    raise
                raise _unavailable() from error
            except OSError as error:
                raise _unavailable() from error
            if WARNING in warnings:
                # Committed here, but not on the standby that was to confirm it: it may yet be lost.
                raise _unavailable()
            transaction.committed()
            return result

    async def _read(self, work: Work[T]) -> T:
        refusal = _unavailable()
        for _ in range(TRIES):
            try:
                async with self._reading.connect() as connection:
                    return await work(Transaction(connection))
            except (DBAPIError, PoolTimeout, OSError) as error:
                refusal = _refusal_for(error)
        raise refusal


def sqlstate(error: DBAPIError) -> str | None:
    """The SQLSTATE behind SQLAlchemy's wrapping: the class of the wrapped error does not tell."""
    return getattr(error.orig, "sqlstate", None)


def _refusal_for(error: Exception) -> Refusal:
    """The refusal to give if no try succeeds. An error that a further try cannot mend is raised as it is."""
    if isinstance(error, PoolTimeout):
        # It has waited long enough: work begun later would outlive the caller's patience.
        raise _unavailable() from error
    if not isinstance(error, DBAPIError):
        return _unavailable()
    state = sqlstate(error)
    if state in SERIALIZATION:
        return Refusal(Reason.CONFLICT, retry_after=_RETRY_AFTER)
    # 08 connection, 53 resources, 57 shut down or cancelled by a timeout, 55P03 no lock in time.
    lost = error.connection_invalidated or isinstance(error, InterfaceError)
    if lost or (state or "")[:2] in ("08", "53", "57") or state == "55P03":
        return _unavailable()
    raise error


def _unavailable() -> Refusal:
    return Refusal(Reason.DEPENDENCY_UNAVAILABLE, retry_after=_RETRY_AFTER)


def _collect_warnings(connection: Any, record: ConnectionPoolEntry) -> None:
    warnings: set[str] = set()
    connection.driver_connection.add_log_listener(lambda _, message: warnings.add(message.sqlstate))
    record.info[_WARNINGS] = warnings
