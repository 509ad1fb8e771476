"""The connection pool: asyncpg connections with the settings that every transaction relies on.

asyncpg's own pool starts a task for each release and cannot keep a log listener on a connection, which is how the
warning of a commit that was not replicated is seen (bench/storage_execution.py compares the two).
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

import asyncpg

MAX_AGE = 1800.0
"""Seconds after which a connection is replaced, so that a moved or rebalanced database is noticed."""

CONNECT_TIMEOUT = 5.0
ACQUIRE_TIMEOUT = 5.0
"""Seconds. Work that starts later than that would outlive its caller's patience."""

_SESSION_SETTINGS = {
    "application_name": "twofactor",
    "timezone": "UTC",
    "statement_timeout": "5000",
    "lock_timeout": "4000",
    "idle_in_transaction_session_timeout": "10000",
}


class PoolExhausted(Exception):
    """No connection became free within ``ACQUIRE_TIMEOUT``."""


class PooledConnection:
    """An open connection and the SQLSTATEs of the warnings that the server sent on it since they were last cleared."""

    def __init__(self, driver: "asyncpg.Connection[Any]") -> None:
        self.driver = driver
        self.warnings: set[str] = set()
        self._opened = time.monotonic()
        driver.add_log_listener(lambda _, message: self.warnings.add(message.sqlstate))

    @property
    def usable(self) -> bool:
        """Whether the connection is open and not too old."""
        return not self.driver.is_closed() and time.monotonic() - self._opened < MAX_AGE


class ConnectionPool:
    """At most ``size`` connections. The one used last is handed out first, so that idle ones grow old and close."""

    def __init__(self, size: int, arguments: Mapping[str, Any], *, statement_cache: int) -> None:
        self._arguments = {
            **arguments,
            "timeout": CONNECT_TIMEOUT,
            "statement_cache_size": statement_cache,
            "max_cached_statement_lifetime": 0,
            "server_settings": _SESSION_SETTINGS,
        }
        self._idle: deque[PooledConnection] = deque()
        self._free = asyncio.Semaphore(size)

    async def acquire(self) -> PooledConnection:
        """A connection for the caller alone; ``release`` must follow. Raises PoolExhausted or a connection error."""
        if self._free.locked():
            try:
                async with asyncio.timeout(ACQUIRE_TIMEOUT):
                    await self._free.acquire()
            except TimeoutError:
                raise PoolExhausted from None
        else:
            await self._free.acquire()
        try:
            return self._take_idle() or await self._connect()
        except BaseException:
            self._free.release()
            raise

    def release(self, connection: PooledConnection) -> None:
        """The connection is free again. A closed or old one is closed and forgotten."""
        if connection.usable:
            self._idle.append(connection)
        else:
            connection.driver.terminate()
        self._free.release()

    def discard_idle(self) -> None:
        """Close every idle connection: one of them was found dead, so the others may be."""
        while self._idle:
            self._idle.pop().driver.terminate()

    async def close(self) -> None:
        """Close the idle connections; the others must have been released before."""
        while self._idle:
            await self._idle.pop().driver.close(timeout=CONNECT_TIMEOUT)

    def _take_idle(self) -> PooledConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.driver.terminate()
        return None

    async def _connect(self) -> PooledConnection:
        driver = await asyncpg.connect(**self._arguments)
        try:
            await driver.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)
        except BaseException:
            driver.terminate()
            raise
        return PooledConnection(driver)
