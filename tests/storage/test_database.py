"""The one way to run a transaction: what it keeps, what it retries, and what it answers when it cannot know."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.storage.databases import ask, rows, url_of
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage import database as module
from twofactor_server.storage.database import Database, Transaction

PATIENCE = 10.0
_MARK = text("INSERT INTO marks (word) VALUES (:word)")


@pytest_asyncio.fixture(scope="module", autouse=True)
async def marks(database_url: str, postgres: EmbeddedPostgres) -> None:
    """A table to leave marks in, and a server that notices a deadlock at once."""
    await ask(database_url, "CREATE TABLE marks (word text)")
    name = await ask(database_url, "SELECT current_database()")
    await ask(url_of(postgres, name, administrator=True), f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '20ms'")


@pytest_asyncio.fixture
async def lone(database_url: str) -> AsyncIterator[Database]:
    """A pool of one connection."""
    database = Database(database_url, pool_size=1)
    yield database
    await asyncio.wait_for(database.close(), PATIENCE)


async def mark(tx: Transaction, word: str) -> None:
    await tx.execute(_MARK, {"word": word})


async def marked(url: str, word: str) -> int:
    count: int = await ask(url, "SELECT count(*) FROM marks WHERE word = $1", word)
    return count


async def test_what_returns_is_committed(database: Database, database_url: str) -> None:
    async def work(tx: Transaction) -> str:
        await mark(tx, "returned")
        return "result"

    assert await database.transact(work) == "result"
    assert await marked(database_url, "returned") == 1


async def test_what_raises_leaves_nothing_behind(database: Database, database_url: str) -> None:
    """A Refusal *raised* rolls back; one that is *returned* is kept. (✗ three wrong codes left the counter at 0.)"""

    async def raising(tx: Transaction) -> None:
        await mark(tx, "raised")
        raise Refusal(Reason.CODE_MISMATCH)

    async def returning(tx: Transaction) -> Refusal:
        await mark(tx, "kept")
        return Refusal(Reason.CODE_MISMATCH)

    with pytest.raises(Refusal):
        await database.transact(raising)
    assert (await database.transact(returning)).reason is Reason.CODE_MISMATCH
    assert await marked(database_url, "raised") == 0
    assert await marked(database_url, "kept") == 1


async def test_transactions_are_read_committed_in_utc_and_bounded(database: Database) -> None:
    """ "Bounds before COMMIT: statement_timeout, lock_timeout"."""

    async def work(tx: Transaction) -> list[str]:
        names = ("transaction_isolation", "TimeZone", "statement_timeout", "lock_timeout")
        return [str(await tx.scalar(text(f"SHOW {name}"))) for name in names]

    assert await database.transact(work) == ["read committed", "UTC", "5s", "4s"]


async def test_a_callback_comes_after_the_commit_and_only_then(database: Database, database_url: str) -> None:
    """Delivery is woken for mails that it can see; never for those of a rolled-back transaction."""
    called: list[str] = []

    async def work(tx: Transaction) -> None:
        await mark(tx, "called back")
        tx.after_commit(lambda: called.append("committed"))
        assert called == []

    async def failing(tx: Transaction) -> None:
        tx.after_commit(lambda: called.append("rolled back"))
        raise Refusal(Reason.CODE_MISMATCH)

    await database.transact(work)
    with pytest.raises(Refusal):
        await database.transact(failing)
    assert called == ["committed"]
    assert await marked(database_url, "called back") == 1


async def test_a_deadlock_is_run_again(database: Database, database_url: str) -> None:
    """Two transactions lock two rows in opposite order: a victim (40P01) runs again, and both are kept.

    PostgreSQL may find both at the same moment, and then each runs again, in one order: that they meet once is enough.
    """
    await ask(database_url, "CREATE TABLE pair (id int PRIMARY KEY, runs int)")
    await ask(database_url, "INSERT INTO pair VALUES (1, 0), (2, 0)")
    both = asyncio.Barrier(2)
    runs = 0

    async def work(tx: Transaction, first: int, second: int) -> None:
        nonlocal runs
        runs += 1
        again = runs > 2
        add = text("UPDATE pair SET runs = runs + 1 WHERE id = :id")
        await tx.execute(add, {"id": 1 if again else first})
        if not again:
            await both.wait()
        await tx.execute(add, {"id": 2 if again else second})

    await asyncio.gather(database.transact(lambda tx: work(tx, 1, 2)), database.transact(lambda tx: work(tx, 2, 1)))
    assert runs in (3, 4)
    assert await rows(database_url, "SELECT runs FROM pair ORDER BY id") == [(2,), (2,)]


async def test_a_serialization_failure_is_run_again(database: Database, database_url: str) -> None:
    """40001 at a statement: the row was changed by another after the snapshot."""
    await ask(database_url, "INSERT INTO marks VALUES ('snapshot')")
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        await tx.execute(text("SELECT 1"))
        if runs == 1:
            await ask(database_url, "UPDATE marks SET word = 'changed' WHERE word = 'snapshot'")
        await tx.execute(text("UPDATE marks SET word = word || '!' WHERE word IN ('snapshot', 'changed')"))

    await database.transact(work)
    assert runs == 2
    assert await marked(database_url, "changed!") == 1


async def test_a_serialization_failure_of_the_commit_itself_is_run_again(database: Database, database_url: str) -> None:
    """PostgreSQL *answered* that it did not commit, so nothing is unknown: the one error of COMMIT that is retried."""
    await ask(database_url, "CREATE TABLE doctors (name text, on_call bool)")
    await ask(database_url, "INSERT INTO doctors VALUES ('a', true), ('b', true)")
    serializable = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"
    runs = 0

    async def leave(tx: Transaction, name: str) -> None:
        await tx.execute(text(serializable))
        if await tx.scalar(text("SELECT count(*) FROM doctors WHERE on_call")) == 2:
            await tx.execute(text("UPDATE doctors SET on_call = false WHERE name = :name"), {"name": name})

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await leave(tx, "a")
        if runs == 1:
            await database.transact(lambda other: leave(other, "b"))

    await database.transact(work)
    assert runs == 2
    assert await rows(database_url, "SELECT name FROM doctors WHERE on_call") == [("a",)]


async def test_when_the_retries_are_spent_it_is_a_conflict(database: Database) -> None:
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await tx.execute(text("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$"))

    with pytest.raises(Refusal) as caught:
        await database.transact(work)
    assert (caught.value.reason, runs) == (Reason.CONFLICT, 3)


async def test_an_error_that_no_retry_mends_is_raised_as_it_is(database: Database, database_url: str) -> None:
    """A bug must look like one: it is not called a conflict or an outage."""
    runs = 0

    async def work(tx: Transaction) -> None:
        nonlocal runs
        runs += 1
        await mark(tx, "a bug")
        await tx.execute(text("SELECT 1 / 0"))

    with pytest.raises(DBAPIError, match="division by zero"):
        await database.transact(work)
    assert runs == 1
    assert await marked(database_url, "a bug") == 0


@pytest.mark.parametrize("statement", ["SET LOCAL statement_timeout = 10", "SET LOCAL lock_timeout = 10"])
async def test_what_takes_too_long_is_unavailable(database: Database, database_url: str, statement: str) -> None:
    async def work(tx: Transaction) -> None:
        await tx.execute(text(statement))
        await tx.execute(text("LOCK TABLE marks IN ACCESS EXCLUSIVE MODE"))
        await tx.execute(text("SELECT pg_sleep(5)"))

    async def holding(tx: Transaction) -> None:
        await mark(tx, "held")
        with pytest.raises(Refusal) as caught:
            await database.transact(work)
        assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE

    await database.transact(holding)
    assert await marked(database_url, "held") > 0


async def test_an_exhausted_pool_is_unavailable(lone: Database) -> None:
    """Nothing is queued for ever; the answer says when to come back."""
    lone._engine.pool._timeout = 0.05  # type: ignore[attr-defined]  # five seconds in earnest
    taken, leave = asyncio.Event(), asyncio.Event()

    async def holding(_: Transaction) -> None:
        taken.set()
        await leave.wait()

    held = asyncio.create_task(lone.transact(holding))
    await taken.wait()
    for waiting in (lone.transact, lone.read):
        with pytest.raises(Refusal) as caught:
            await waiting(lambda tx: tx.execute(text("SELECT 1")))
        assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
        assert caught.value.retry_after is not None
    leave.set()
    await held


async def test_past_the_cap_the_answer_is_unknown_and_the_work_goes_on(
    database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "Past the server's cap the outcome is unknown": UNAVAILABLE, and the repeat finds what came of it."""
    monkeypatch.setattr(module, "OUTCOME_CAP", 0.05)
    leave, done = asyncio.Event(), asyncio.Event()

    async def slow(tx: Transaction) -> None:
        await mark(tx, "slow")
        await leave.wait()
        tx.after_commit(done.set)

    with pytest.raises(Refusal) as caught:
        await database.transact(slow)
    assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
    leave.set()
    await asyncio.wait_for(done.wait(), PATIENCE)
    assert await marked(database_url, "slow") == 1


async def test_close_waits_for_what_runs(database_url: str) -> None:
    """ "Finish shielded transactions, close pools"."""
    database = Database(database_url, pool_size=1)
    leave = asyncio.Event()

    async def work(tx: Transaction) -> None:
        await mark(tx, "closing")
        await leave.wait()

    running = asyncio.create_task(database.transact(work))
    await asyncio.sleep(0)
    closing = asyncio.create_task(database.close())
    running.cancel()
    await asyncio.sleep(0.05)
    assert not closing.done()
    leave.set()
    await closing
    assert await marked(database_url, "closing") == 1
