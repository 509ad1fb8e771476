"""Connections that are lost, before and at COMMIT; callers that are cancelled; a commit that no standby confirmed."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.storage.databases import ask, rows, url_of
from tests.storage.proxies import Cut, Wire, wire_to
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database, Transaction

PATIENCE = 10.0
_OURS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'twofactor'"
_WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND datname = current_database()"


@pytest_asyncio.fixture(scope="module", autouse=True)
async def marks(database_url: str) -> None:
    """A table to leave marks in."""
    await ask(database_url, "CREATE TABLE marks (word text)")


@pytest_asyncio.fixture
async def wire(database_url: str) -> AsyncIterator[Wire]:
    async with wire_to(database_url) as wire:
        yield wire


@pytest_asyncio.fixture
async def wired(wire: Wire) -> AsyncIterator[Database]:
    """The database behind the wire."""
    database = Database(wire.url, pool_size=4)
    yield database
    await database.close()


class Marking:
    """A unit of work that leaves a mark, counts its runs, and knows whether it was called back."""

    def __init__(self) -> None:
        self.word = uuid4().hex
        self.runs = 0
        self.called_back = 0

    async def __call__(self, tx: Transaction) -> str:
        self.runs += 1
        await tx.execute(text("INSERT INTO marks (word) VALUES (:word)"), {"word": self.word})
        tx.after_commit(self._call_back)
        return "committed"

    def _call_back(self) -> None:
        self.called_back += 1

    async def left(self, url: str) -> int:
        """How many marks there are."""
        count: int = await ask(url, "SELECT count(*) FROM marks WHERE word = $1", self.word)
        return count


async def until(holds: str, url: str) -> None:
    """Wait until the question is answered with something true."""
    async with asyncio.timeout(PATIENCE):
        while not await ask(url, holds):
            await asyncio.sleep(0.01)


async def test_a_connection_lost_before_the_commit_is_tried_again(database: Database, database_url: str) -> None:
    """Nothing can have been changed, so nothing is unknown."""
    marking = Marking()

    async def work(tx: Transaction) -> str:
        result = await marking(tx)
        if marking.runs == 1:
            await tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return result

    assert await database.transact(work) == "committed"
    assert (marking.runs, marking.called_back) == (2, 1)
    assert await marking.left(database_url) == 1


async def test_a_connection_that_died_in_the_pool_does_no_harm(database: Database, database_url: str) -> None:
    """PostgreSQL was restarted, or a firewall forgot us: the caller sees nothing of it."""
    await asyncio.gather(*(database.transact(Marking()) for _ in range(4)))
    for (pid,) in await rows(database_url, _OURS):
        await ask(database_url, "SELECT pg_terminate_backend($1)", pid)
    marking = Marking()
    assert await database.transact(marking) == "committed"
    assert await database.read(lambda tx: tx.scalar(text("SELECT 7"))) == 7
    assert await marking.left(database_url) == 1


@pytest.mark.parametrize(("cut", "left"), [(Cut.BEFORE, 0), (Cut.AFTER, 1)])
async def test_a_connection_lost_at_the_commit_is_never_tried_again(
    wire: Wire, wired: Database, database_url: str, cut: Cut, left: int
) -> None:
    """Whether it was carried out nobody can say: UNAVAILABLE, and the caller's repeat finds out.

    With the error of COMMIT handled like any other, the work was run three times.
    """
    marking = Marking()
    await wired.transact(Marking())
    wire.cut = cut
    with pytest.raises(Refusal) as caught:
        await wired.transact(marking)
    assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert (wire.cuts, marking.runs, marking.called_back) == (1, 1, 0)
    wire.cut = Cut.NEVER
    assert await wired.transact(Marking()) == "committed"
    assert await marking.left(database_url) == left


async def test_a_commit_that_no_standby_confirmed_is_unknown(
    postgres: EmbeddedPostgres, database: Database, database_url: str
) -> None:
    """ "A commit that carries warning 01000 (it was not replicated): answered UNAVAILABLE": it may yet be lost.

    PostgreSQL waits for a standby that there is not, until the wait is cancelled; it then says COMMIT, with a warning.
    With the look at the warnings taken out, the call answered OK.
    """
    marking = Marking()
    administrator = url_of(postgres, await ask(database_url, "SELECT current_database()"), administrator=True)
    await ask(administrator, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    try:
        await ask(administrator, "SELECT pg_reload_conf()")
        await until("SELECT current_setting('synchronous_standby_names') = 'nobody'", administrator)
        committing = asyncio.create_task(database.transact(marking))
        await until(_WAITING, administrator)
        await ask(administrator, "SELECT pg_cancel_backend($1)", await ask(administrator, _WAITING))
        with pytest.raises(Refusal) as caught:
            await committing
    finally:
        await ask(administrator, "ALTER SYSTEM RESET synchronous_standby_names")
        await ask(administrator, "SELECT pg_reload_conf()")
    assert caught.value.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert (marking.runs, marking.called_back) == (1, 0)
    assert await marking.left(database_url) == 1, "committed here, but not there"
    assert await database.transact(Marking()) == "committed"


async def test_a_warning_before_the_commit_says_nothing_of_the_commit(database: Database) -> None:
    """A statement of ours that warns does not make its transaction unknown."""

    async def work(tx: Transaction) -> str:
        await tx.execute(text("DO $$ BEGIN RAISE WARNING 'careful'; END $$"))
        return "committed"

    assert await database.transact(work) == "committed"


async def test_cancelled_callers_neither_abort_nor_lose_their_transactions(
    database: Database, database_url: str
) -> None:
    """Fifty clients hang up, each at another moment: every transaction is committed, and no connection was spent.

    With the shield taken out (the work awaited by its caller), not one of those that had begun was committed, and
    every connection was terminated and replaced.
    """
    warm = asyncio.Barrier(8)

    async def hold(tx: Transaction) -> None:
        await tx.execute(text("SELECT 1"))
        await warm.wait()

    await asyncio.gather(*(database.transact(hold) for _ in range(8)))
    before = set(await rows(database_url, _OURS))
    markings = [Marking() for _ in range(50)]
    for moment, marking in enumerate(markings):
        call = asyncio.create_task(database.transact(marking))
        for _ in range(moment):
            await asyncio.sleep(0)
        call.cancel()
        await asyncio.wait({call})
    async with asyncio.timeout(PATIENCE):
        while not all(marking.called_back for marking in markings if marking.runs):
            await asyncio.sleep(0.01)
    begun = [marking for marking in markings if marking.runs]
    assert len(begun) >= 49, "only the one cancelled before it began may not have run"
    assert [await marking.left(database_url) for marking in begun] == [1] * len(begun)
    assert set(await rows(database_url, _OURS)) == before
