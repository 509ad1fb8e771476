"""Transactions: what commits, what rolls back, and what callers are refused with."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import bindparam, text
from sqlalchemy.types import Text

from tests.storage.databases import ask, commit, read, rows, url_of
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage import pool
from twofactor_server.storage.database import Database, StaleState, Transaction
from twofactor_server.storage.statements import Statement

PATIENCE = 10.0
_MARK = Statement(text("INSERT INTO marks (word) VALUES (:word)"))
_RENAME = Statement(
    text("UPDATE marks SET word = word || '!' WHERE word = :word").bindparams(bindparam("word", type_=Text()))
)
_PROCESS_ID = Statement(text("SELECT pg_backend_pid()"))
_CONNECTIONS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'twofactor'"


@pytest_asyncio.fixture(scope="module", autouse=True)
async def marks(database_url: str, postgres: EmbeddedPostgres) -> None:
    """A table to write to, and a server that detects a deadlock quickly."""
    await ask(database_url, "CREATE TABLE marks (word text)")
    name = await ask(database_url, "SELECT current_database()")
    await ask(url_of(postgres, name, administrator=True), f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '20ms'")


@pytest_asyncio.fixture
async def single(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection."""
    database = Database(database_url, pool_size=1)
    yield database
    await asyncio.wait_for(database.close(), PATIENCE)


async def mark(tx: Transaction, word: object) -> None:
    await tx.execute(_MARK, word=word)


async def rename_one(tx: Transaction, word: str) -> None:
    await tx.execute_one(_RENAME, word=word)


async def process_id(tx: Transaction) -> int:
    """Identifies the connection."""
    number: int = await tx.fetch_value(_PROCESS_ID)
    return number


async def run(tx: Transaction, sql: str) -> object:
    """The first value of plain SQL."""
    return await tx.fetch_value(Statement(text(sql)))


async def marked(url: str, word: str) -> int:
    count: int = await ask(url, "SELECT count(*) FROM marks WHERE word = $1", word)
    return count


async def test_a_block_that_ends_is_committed(database: Database, database_url: str) -> None:
    async with database.transaction() as tx:
        await mark(tx, "committed")
        assert await marked(database_url, "committed") == 0
    assert await marked(database_url, "committed") == 1


async def test_an_exception_rolls_back(single: Database, database_url: str) -> None:
    """A refusal, too. The connection can be used afterwards."""

    async def fail(tx: Transaction, error: Exception) -> None:
        await mark(tx, "raised")
        raise error

    for error in (Refusal(Reason.CODE_MISMATCH), ValueError()):
        with pytest.raises(type(error)):
            await commit(single, fail, error)
    before = await commit(single, process_id)
    assert await marked(database_url, "raised") == 0
    assert await commit(single, process_id) == before


async def test_a_guarded_write_must_change_one_row(database: Database, database_url: str) -> None:
    for word in ("one", "two", "two"):
        await commit(database, mark, word)
    for word in ("none", "two"):
        with pytest.raises(StaleState):
            await commit(database, rename_one, word)
    await commit(database, rename_one, "one")
    assert [await marked(database_url, word) for word in ("one!", "two", "two!")] == [1, 2, 0]


async def test_results_are_rows_values_and_counts(database: Database) -> None:
    select = Statement(text("SELECT word, length(word) FROM marks WHERE word LIKE 'result%' ORDER BY word"))
    async with database.transaction() as tx:
        assert (await tx.fetch_row(select), await tx.fetch_value(select), await tx.fetch_all(select)) == (
            None,
            None,
            [],
        )
        assert await tx.execute(_RENAME, word="result a") == 0
        for word in ("result a", "result a", "result b"):
            assert await tx.execute(_MARK, word=word) == 1
        assert await tx.execute(_RENAME, word="result a") == 2
        assert tuple(await tx.fetch_row(select)) == ("result a!", 9)
        assert await tx.fetch_value(select) == "result a!"
        assert [word for word, _ in await tx.fetch_all(select)] == ["result a!", "result a!", "result b"]


async def test_transactions_are_read_committed_in_utc_with_timeouts(database: Database) -> None:
    async with database.transaction() as tx:
        for name, value in (
            ("transaction_isolation", "read committed"),
            ("TimeZone", "UTC"),
            ("statement_timeout", "5s"),
            ("lock_timeout", "4s"),
            ("idle_in_transaction_session_timeout", "10s"),
        ):
            assert await run(tx, f"SHOW {name}") == value


async def test_statements_of_a_reading_block_have_their_own_snapshots(database: Database, database_url: str) -> None:
    async with database.reading() as tx:
        assert await run(tx, "SELECT count(*) FROM marks WHERE word = 'seen'") == 0
        await ask(database_url, "INSERT INTO marks VALUES ('seen')")
        assert await run(tx, "SELECT count(*) FROM marks WHERE word = 'seen'") == 1
        assert await run(tx, "SELECT state FROM pg_stat_activity WHERE pid = pg_backend_pid()") == "active"


async def test_a_callback_runs_after_the_commit_and_not_after_a_rollback(database: Database, database_url: str) -> None:
    called: list[str] = []

    async def fail(tx: Transaction) -> None:
        tx.after_commit(lambda: called.append("rolled back"))
        raise Refusal(Reason.CODE_MISMATCH)

    async with database.transaction() as tx:
        await mark(tx, "called back")
        tx.after_commit(lambda: called.append("committed"))
        assert called == []
    with pytest.raises(Refusal):
        await commit(database, fail)
    assert called == ["committed"]
    assert await marked(database_url, "called back") == 1


async def test_the_victim_of_a_deadlock_is_refused_and_changes_nothing(database: Database, database_url: str) -> None:
    """Two transactions lock two rows in opposite order. The other one commits."""
    await ask(database_url, "CREATE TABLE pair (id int PRIMARY KEY, runs int)")
    await ask(database_url, "INSERT INTO pair VALUES (1, 0), (2, 0)")
    both = asyncio.Barrier(2)
    increment = Statement(text("UPDATE pair SET runs = runs + 1 WHERE id = :id"))

    async def lock_both(first: int, second: int) -> Reason | None:
        try:
            async with database.transaction() as tx:
                await tx.execute(increment, id=first)
                await both.wait()
                await tx.execute(increment, id=second)
        except Refusal as refusal:
            return refusal.reason
        return None

    outcomes = await asyncio.gather(lock_both(1, 2), lock_both(2, 1))
    assert sorted(outcomes, key=str) == [Reason.CONFLICT, None]
    assert await rows(database_url, "SELECT runs FROM pair ORDER BY id") == [(1,), (1,)]


async def test_a_serialisation_failure_is_refused_and_changes_nothing(single: Database, database_url: str) -> None:
    """The connection can be used afterwards."""

    async def work(tx: Transaction) -> None:
        await run(tx, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        await mark(tx, "after the snapshot")
        await ask(database_url, "UPDATE marks SET word = 'changed' WHERE word = 'snapshot'")
        await run(tx, "UPDATE marks SET word = word || '!' WHERE word IN ('snapshot', 'changed')")

    await ask(database_url, "INSERT INTO marks VALUES ('snapshot')")
    with pytest.raises(Refusal) as caught:
        await commit(single, work)
    assert caught.value.reason is Reason.CONFLICT
    assert caught.value.retry_after is not None
    assert [await marked(database_url, word) for word in ("after the snapshot", "changed", "changed!")] == [0, 1, 0]
    await commit(single, mark, "after a conflict")
    assert await marked(database_url, "after a conflict") == 1


async def test_a_serialisation_failure_of_the_commit_is_refused_and_changes_nothing(
    database: Database, database_url: str
) -> None:
    """PostgreSQL answered that it did not commit, so the outcome is known."""
    await ask(database_url, "CREATE TABLE doctors (name text, on_call bool)")
    await ask(database_url, "INSERT INTO doctors VALUES ('a', true), ('b', true)")

    async def leave(tx: Transaction, name: str) -> None:
        await run(tx, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
        assert await run(tx, "SELECT count(*) FROM doctors WHERE on_call") == 2
        await run(tx, f"UPDATE doctors SET on_call = false WHERE name = '{name}'")  # noqa: S608 - our names

    async def overlap(tx: Transaction) -> None:
        await leave(tx, "a")
        await commit(database, leave, "b")

    with pytest.raises(Refusal) as caught:
        await commit(database, overlap)
    assert caught.value.reason is Reason.CONFLICT
    assert await rows(database_url, "SELECT name FROM doctors WHERE on_call") == [("a",)]


async def test_an_error_that_no_repeat_can_fix_is_raised_as_it_is(database: Database, database_url: str) -> None:
    """A bug must not look like a conflict or an outage."""

    async def divide_by_zero(tx: Transaction) -> None:
        await mark(tx, "a bug")
        await run(tx, "SELECT 1 / 0")

    with pytest.raises(asyncpg.DivisionByZeroError):
        await commit(database, divide_by_zero)
    with pytest.raises(asyncpg.DataError, match="expected str"):
        await commit(database, mark, 7)
    assert await marked(database_url, "a bug") == 0


@pytest.mark.parametrize("setting", ["statement_timeout", "lock_timeout"])
async def test_a_timeout_is_unavailable(database: Database, setting: str) -> None:
    async def wait_for_lock(tx: Transaction) -> None:
        await run(tx, f"SET LOCAL {setting} = 10")
        await run(tx, "LOCK TABLE marks IN ACCESS EXCLUSIVE MODE")

    async with database.transaction() as holder:
        await mark(holder, "held")
        with pytest.raises(Refusal) as caught:
            await commit(database, wait_for_lock)
    assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE


async def test_an_exhausted_pool_is_unavailable(single: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """No caller waits for long, and the refusal says when to come back."""
    monkeypatch.setattr(pool, "ACQUIRE_TIMEOUT", 0.05)
    async with single.transaction():
        for function in (commit, read):
            with pytest.raises(Refusal) as caught:
                await function(single, mark, "waiting")
            assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
            assert caught.value.retry_after is not None
    await commit(single, mark, "free again")


async def test_a_waiting_caller_gets_the_connection_that_becomes_free(single: Database) -> None:
    async with single.transaction() as tx:
        before = await process_id(tx)
        waiting = [asyncio.create_task(commit(single, process_id)) for _ in range(3)]
        done, _ = await asyncio.wait(waiting, timeout=0.05)
        assert not done
    assert await asyncio.gather(*waiting) == [before] * 3


async def test_an_old_connection_is_replaced(single: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await commit(single, process_id)
    assert await commit(single, process_id) == before
    monkeypatch.setattr(pool, "MAX_AGE", 0.0)
    assert await commit(single, process_id) != before


async def test_close_closes_every_connection(database_url: str) -> None:
    database = Database(database_url, pool_size=2)
    async with database.transaction() as first, database.transaction() as second:
        process_ids = {await process_id(tx) for tx in (first, second)}
    await database.close()
    async with asyncio.timeout(PATIENCE):
        while process_ids & {number for (number,) in await rows(database_url, _CONNECTIONS)}:
            await asyncio.sleep(0.01)


async def test_statements_need_no_cache(database_url: str) -> None:
    """As behind a pooler like PgBouncer, where each transaction may have another connection to the server."""
    database = Database(database_url, pool_size=1, statement_cache=0)
    for _ in range(2):
        async with database.transaction() as tx:
            await mark(tx, "uncached")
            assert await run(tx, "SELECT count(*) FROM pg_prepared_statements") == 0
    await database.close()
    assert await marked(database_url, "uncached") == 2
