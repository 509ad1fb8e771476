"""Connections that are lost, callers that are cancelled, and a commit that no standby confirmed."""

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.storage.databases import ask, commit, rows, url_of
from tests.support.fault_proxy import Cut, DatabaseProxy
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database, Transaction
from twofactor_server.storage.statements import Statement

PATIENCE = 10.0
_INSERT = Statement(text("INSERT INTO marks (word) VALUES (:word)"))
_PROCESS_ID = Statement(text("SELECT pg_backend_pid()"))
_OURS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'twofactor'"
_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"


@pytest_asyncio.fixture(scope="module", autouse=True)
async def marks(database_url: str) -> None:
    """A table to write to."""
    await ask(database_url, "CREATE TABLE marks (word text)")


@pytest.fixture
def proxy() -> DatabaseProxy:
    return DatabaseProxy(statements=("INSERT INTO marks",))


@pytest_asyncio.fixture
async def proxied(proxy: DatabaseProxy, database_url: str) -> AsyncIterator[Database]:
    """The database behind the proxy."""
    async with proxy.to(database_url) as url:
        database = Database(url, pool_size=4)
        yield database
        await database.close()


class Mark:
    """A row that a transaction writes, and whether the transaction was confirmed."""

    def __init__(self) -> None:
        self.word = uuid4().hex
        self.confirmed = 0

    async def write(self, tx: Transaction) -> None:
        await tx.execute(_INSERT, word=self.word)
        tx.after_commit(self._confirm)

    def _confirm(self) -> None:
        self.confirmed += 1

    async def count(self, url: str) -> int:
        count: int = await ask(url, "SELECT count(*) FROM marks WHERE word = $1", self.word)
        return count


async def until(condition: str, url: str) -> None:
    """Wait until the first value of the SQL is true."""
    async with asyncio.timeout(PATIENCE):
        while not await ask(url, condition):
            await asyncio.sleep(0.01)


async def works(database: Database, url: str) -> None:
    mark = Mark()
    await commit(database, mark.write)
    assert (mark.confirmed, await mark.count(url)) == (1, 1)


def terminate(process_ids: list[int]) -> None:
    """End the server's side of connections. The event loop does not run meanwhile, so the pool does not notice."""
    for process_id in process_ids:
        os.kill(process_id, signal.SIGTERM)
    time.sleep(0.2)


async def test_connections_that_died_in_the_pool_are_replaced_unseen(database: Database, database_url: str) -> None:
    """After a restart of PostgreSQL, for example. The first that is found dead shows that all may be.

    Without another attempt at BEGIN, or without closing the other idle connections, this call was refused.
    """
    await asyncio.gather(*(commit(database, Mark().write) for _ in range(5)))
    dead = [process_id for (process_id,) in await rows(database_url, _OURS)]
    assert len(dead) > 3
    terminate(dead)
    await works(database, database_url)


async def test_a_reading_block_replaces_a_connection_that_was_seen_to_close(
    database: Database, database_url: str
) -> None:
    """It has no BEGIN that could try the connection, and costs no round trip more than its statements."""
    await commit(database, Mark().write)
    terminate([process_id for (process_id,) in await rows(database_url, _OURS)])
    await asyncio.sleep(0.05)
    async with database.reading() as tx:
        assert await tx.fetch_value(_PROCESS_ID)


async def test_a_connection_lost_before_the_commit_is_unavailable_and_changes_nothing(
    database: Database, database_url: str
) -> None:
    mark = Mark()

    async def work(tx: Transaction) -> None:
        await mark.write(tx)
        await tx.fetch_value(Statement(text("SELECT pg_terminate_backend(pg_backend_pid())")))

    with pytest.raises(Refusal) as caught:
        await commit(database, work)
    assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert (mark.confirmed, await mark.count(database_url)) == (0, 0)
    await works(database, database_url)


@pytest.mark.parametrize(("cut", "count"), [(Cut.BEFORE_COMMIT, 0), (Cut.AFTER_COMMIT, 1)])
async def test_the_outcome_is_unknown_if_the_connection_is_lost_at_the_commit(
    proxy: DatabaseProxy, proxied: Database, database_url: str, cut: Cut, count: int
) -> None:
    """UNAVAILABLE either way, without another try; the caller's repeated call finds out."""
    mark = Mark()
    await commit(proxied, Mark().write)
    proxy.arm(cut)
    with pytest.raises(Refusal) as caught:
        await commit(proxied, mark.write)
    assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert (proxy.cut, mark.confirmed) == (None, 0)
    await works(proxied, database_url)
    assert await mark.count(database_url) == count


async def test_an_unreachable_database_is_unavailable() -> None:
    database = Database("postgresql:///shop?host=/nowhere")
    for block in (database.transaction, database.reading):
        with pytest.raises(Refusal) as caught:
            async with block():
                pass
        assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
    await database.close()


async def test_a_commit_that_no_standby_confirmed_is_unavailable(
    postgres: EmbeddedPostgres, database: Database, database_url: str
) -> None:
    """It may still be lost.

    PostgreSQL waits for a standby that does not exist, until the wait is cancelled. It then reports COMMIT, with a
    warning. If the warning is not looked at, the call succeeds.
    """
    mark = Mark()
    administrator = url_of(postgres, await ask(database_url, "SELECT current_database()"), administrator=True)
    await ask(administrator, "ALTER SYSTEM SET synchronous_standby_names = 'missing'")
    try:
        await ask(administrator, "SELECT pg_reload_conf()")
        await until("SELECT current_setting('synchronous_standby_names') = 'missing'", administrator)
        committing = asyncio.create_task(commit(database, mark.write))
        await until(_WAITING, administrator)
        await ask(administrator, "SELECT pg_cancel_backend($1)", await ask(administrator, _WAITING))
        with pytest.raises(Refusal) as caught:
            await committing
    finally:
        await ask(administrator, "ALTER SYSTEM RESET synchronous_standby_names")
        await ask(administrator, "SELECT pg_reload_conf()")
        await until("SELECT current_setting('synchronous_standby_names') = ''", administrator)
    assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert (mark.confirmed, await mark.count(database_url)) == (0, 1)
    await works(database, database_url)


async def test_a_warning_before_the_commit_does_not_matter(database: Database) -> None:
    mark = Mark()
    async with database.transaction() as tx:
        await mark.write(tx)
        await tx.fetch_value(Statement(text("DO $$ BEGIN RAISE WARNING 'careful'; END $$")))
    assert mark.confirmed == 1


@pytest.mark.parametrize("within_a_statement", [True, False])
async def test_a_cancelled_block_rolls_back_and_only_its_connection_is_closed(
    database: Database, database_url: str, within_a_statement: bool
) -> None:
    mark = Mark()
    written: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def work(tx: Transaction) -> None:
        await mark.write(tx)
        written.set_result(await tx.fetch_value(_PROCESS_ID))
        if within_a_statement:
            await tx.fetch_value(Statement(text("SELECT pg_sleep(5)")))
        await asyncio.Event().wait()

    async with database.transaction() as other:
        other_process_id = await other.fetch_value(_PROCESS_ID)
        call = asyncio.create_task(commit(database, work))
        process_id = await written
        await asyncio.sleep(0.05)
        call.cancel()
        await asyncio.wait({call})
        assert call.cancelled()
        async with asyncio.timeout(PATIENCE):
            while (process_id,) in await rows(database_url, _OURS):
                await asyncio.sleep(0.01)
        assert await other.fetch_value(_PROCESS_ID) == other_process_id
    assert (other_process_id,) in await rows(database_url, _OURS)
    assert (mark.confirmed, await mark.count(database_url)) == (0, 0)
    await works(database, database_url)


async def test_blocks_that_are_cancelled_at_any_point_leak_no_connection(database_url: str) -> None:
    """Each is cancelled a little later than the one before it, from taking a connection to COMMIT."""
    database = Database(database_url, pool_size=2)
    for steps in itertools.count(step=5):
        mark = Mark()
        call = asyncio.create_task(commit(database, mark.write))
        for _ in range(steps):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait({call})
        assert mark.confirmed == (not call.cancelled())
        if mark.confirmed:
            break
    async with asyncio.timeout(PATIENCE), database.transaction() as first, database.transaction() as second:
        assert await first.fetch_value(_PROCESS_ID) != await second.fetch_value(_PROCESS_ID)
    await works(database, database_url)
    await database.close()
