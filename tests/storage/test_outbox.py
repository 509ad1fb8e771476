"""The outbox: at least once, to one deliverer at a time, and nothing readable left behind."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import text

from tests.storage import states
from tests.storage.databases import ask, rows
from tests.storage.states import HOUR, MINUTE, NOON, SECOND
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.storage import outbox
from twofactor_server.storage.database import Database, Transaction
from twofactor_server.storage.outbox import OutboxMessage

LEASE = timedelta(seconds=60)
_STATE = "SELECT payload IS NULL, send_time, due_time FROM outbox WHERE message_id = $1"


@pytest.fixture(autouse=True)
async def empty(database: Database) -> None:
    """No mail of another test waits."""
    await database.transact(lambda tx: tx.execute(text("DELETE FROM outbox")))


async def written(database: Database, count: int, create_time: datetime = NOON) -> list[OutboxMessage]:
    """Mails of one account, a second apart."""
    owner = await states.account(database)
    mails = [states.mail(owner, create_time + i * SECOND) for i in range(count)]
    for mail in mails:
        await database.transact(partial(outbox.add, message=mail))
    return mails


async def lease(database: Database, now: datetime, most: int = 100) -> Sequence[OutboxMessage]:
    return await database.transact(partial(outbox.lease, now=now, duration=LEASE, most=most))


async def test_a_mail_is_leased_once_its_change_is_committed(database: Database) -> None:
    """Written in the transaction of what it tells: rolled back with it, invisible until it is committed."""
    mail = states.mail(await states.account(database))

    async def failing(tx: Transaction) -> None:
        await outbox.add(tx, mail)
        assert await lease(database, NOON) == []
        raise Refusal(Reason.CODE_MISMATCH)

    with pytest.raises(Refusal):
        await database.transact(failing)
    assert await lease(database, NOON) == []
    await database.transact(partial(outbox.add, message=mail))
    assert await lease(database, NOON - SECOND) == []
    assert await lease(database, NOON) == [replace(mail, tries=1)]


async def test_a_lease_keeps_everybody_else_away_until_it_ends(database: Database) -> None:
    """Not delivered by then, the mail is due again: a deliverer may have died. Each try is counted."""
    (mail,) = await written(database, 1)
    assert await lease(database, NOON) == [replace(mail, tries=1)]
    assert await lease(database, NOON + LEASE - SECOND) == []
    assert await lease(database, NOON + LEASE) == [replace(mail, tries=2)]


async def test_the_oldest_go_first_and_no_more_than_asked_for(database: Database) -> None:
    mails = await written(database, 5)
    first = await lease(database, NOON + MINUTE, most=2)
    assert {one.message_id for one in first} == {mail.message_id for mail in mails[:2]}
    rest = await lease(database, NOON + MINUTE)
    assert {one.message_id for one in rest} == {mail.message_id for mail in mails[2:]}


async def test_deliverers_that_race_never_get_the_same_mail(database: Database) -> None:
    """Eight at once, ten mails each at most, forty mails: each mail once.

    With the row locks (FOR UPDATE SKIP LOCKED) taken out, eighty leases were given of the forty mails.
    """
    mails = await written(database, 40)
    leased = await asyncio.gather(*(lease(database, NOON + MINUTE, most=10) for _ in range(8)))
    got = [one.message_id for batch in leased for one in batch]
    assert len(got) == len(set(got))
    rest = await lease(database, NOON + MINUTE)
    assert {*got, *(one.message_id for one in rest)} == {mail.message_id for mail in mails}


async def test_a_mail_that_is_being_leased_is_passed_over_not_waited_for(database: Database) -> None:
    """With SKIP LOCKED taken out, the second deliverer waited for the first, and then was given nothing."""
    await written(database, 2)

    async def slow(tx: Transaction) -> None:
        assert len(await outbox.lease(tx, NOON + MINUTE, LEASE, most=1)) == 1
        others = await asyncio.wait_for(lease(database, NOON + MINUTE), 2)
        assert len(others) == 1

    await database.transact(slow)


@pytest.mark.parametrize("sent", [NOON + MINUTE, None])
async def test_a_mail_that_is_done_is_erased_and_never_leased_again(
    database: Database, database_url: str, sent: datetime | None
) -> None:
    """Delivered, or given up: "erased on delivery or expiry"; the row says when."""
    (mail,) = await written(database, 1)
    (leased,) = await lease(database, NOON)
    await database.transact(partial(outbox.mark_done, message=leased, sent=sent))
    assert await rows(database_url, _STATE, mail.message_id) == [(True, sent, NOON + LEASE)]
    assert await lease(database, NOON + 24 * HOUR) == []


async def test_a_mail_that_failed_is_due_when_it_is_said(database: Database) -> None:
    (mail,) = await written(database, 1)
    (leased,) = await lease(database, NOON)
    await database.transact(partial(outbox.retry_at, message=leased, due=NOON + 2 * SECOND))
    assert await lease(database, NOON + SECOND) == []
    assert await lease(database, NOON + 2 * SECOND) == [replace(mail, tries=2)]


async def test_a_retry_does_not_bring_back_what_another_delivered(database: Database) -> None:
    """The lease of a slow deliverer ran out; meanwhile another delivered the mail."""
    await written(database, 1)
    (slow,) = await lease(database, NOON)
    (quick,) = await lease(database, NOON + LEASE)
    await database.transact(partial(outbox.mark_done, message=quick, sent=NOON + LEASE))
    await database.transact(partial(outbox.retry_at, message=slow, due=NOON))
    assert await lease(database, NOON + 24 * HOUR) == []


async def test_what_nobody_needs_any_more_is_erased(database: Database, database_url: str) -> None:
    (old,) = await written(database, 1, create_time=NOON - HOUR)
    (new,) = await written(database, 1)
    await database.transact(partial(outbox.expire, now=NOON))
    assert await ask(database_url, "SELECT payload FROM outbox WHERE message_id = $1", old.message_id) is None
    assert await ask(database_url, "SELECT payload FROM outbox WHERE message_id = $1", new.message_id) == b"sealed"
    assert [one.message_id for one in await lease(database, NOON)] == [new.message_id]
