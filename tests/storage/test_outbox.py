"""The outbox: delivery at least once, by one server at a time, and no payload left afterwards."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.storage import states
from tests.storage.databases import ask, commit, rows
from tests.storage.states import HOUR, MINUTE, NOON, SECOND
from twofactor_server.storage import outbox
from twofactor_server.storage.database import Database
from twofactor_server.storage.outbox import OutboxMessage

LEASE = timedelta(seconds=60)
_STATE = "SELECT payload, send_time, due_time FROM outbox WHERE message_id = $1"


@pytest.fixture(autouse=True)
async def empty_outbox(database_url: str) -> None:
    await ask(database_url, "DELETE FROM outbox")


async def enqueue(database: Database, count: int = 1, create_time: datetime = NOON) -> list[OutboxMessage]:
    """Mails of one account, a second apart."""
    owner = await states.account(database)
    mails = [states.mail(owner, create_time + i * SECOND) for i in range(count)]
    for mail in mails:
        await commit(database, outbox.enqueue, mail)
    return mails


async def lease(database: Database, now: datetime, limit: int = 100) -> Sequence[OutboxMessage]:
    return await commit(database, outbox.lease, now, LEASE, limit)


async def test_a_mail_is_leased_after_its_transaction_is_committed(database: Database) -> None:
    mail = states.mail(await states.account(database))
    async with database.transaction() as tx:
        await outbox.enqueue(tx, mail)
        assert await lease(database, NOON) == []
    assert await lease(database, NOON - SECOND) == []
    assert await lease(database, NOON) == [replace(mail, tries=1)]


async def test_a_leased_mail_is_due_again_when_its_lease_ends(database: Database) -> None:
    """The server that leased it may have died. Each try is counted."""
    (mail,) = await enqueue(database)
    assert await lease(database, NOON) == [replace(mail, tries=1)]
    assert await lease(database, NOON + LEASE - SECOND) == []
    assert await lease(database, NOON + LEASE) == [replace(mail, tries=2)]


async def test_the_oldest_mails_are_leased_first_up_to_the_limit(database: Database) -> None:
    mails = await enqueue(database, 5)
    first = await lease(database, NOON + MINUTE, limit=2)
    assert {mail.message_id for mail in first} == {mail.message_id for mail in mails[:2]}
    rest = await lease(database, NOON + MINUTE)
    assert {mail.message_id for mail in rest} == {mail.message_id for mail in mails[2:]}


async def test_concurrent_leases_never_return_the_same_mail(database: Database) -> None:
    """Without the row locks (FOR UPDATE SKIP LOCKED), eighty leases were given for forty mails."""
    mails = await enqueue(database, 40)
    batches = await asyncio.gather(*(lease(database, NOON + MINUTE, limit=10) for _ in range(8)))
    leased = [mail.message_id for batch in batches for mail in batch]
    assert len(leased) == len(set(leased))
    rest = await lease(database, NOON + MINUTE)
    assert {*leased, *(mail.message_id for mail in rest)} == {mail.message_id for mail in mails}


async def test_a_lease_skips_locked_mails(database: Database) -> None:
    """Without SKIP LOCKED, the second server waited for the first and then got nothing."""
    await enqueue(database, 2)
    async with database.transaction() as tx:
        assert len(await outbox.lease(tx, NOON + MINUTE, LEASE, limit=1)) == 1
        assert len(await asyncio.wait_for(lease(database, NOON + MINUTE), 2)) == 1


@pytest.mark.parametrize("sent", [NOON + MINUTE, None])
async def test_a_delivered_or_given_up_mail_is_erased_and_not_leased_again(
    database: Database, database_url: str, sent: datetime | None
) -> None:
    await enqueue(database)
    (mail,) = await lease(database, NOON)
    await commit(database, outbox.mark_done, mail, sent)
    assert await rows(database_url, _STATE, mail.message_id) == [(None, sent, NOON + LEASE)]
    assert await lease(database, NOON + 24 * HOUR) == []


async def test_a_rescheduled_mail_is_due_at_its_new_time(database: Database) -> None:
    await enqueue(database)
    (mail,) = await lease(database, NOON)
    await commit(database, outbox.reschedule, mail, NOON + 2 * SECOND)
    assert await lease(database, NOON + SECOND) == []
    assert await lease(database, NOON + 2 * SECOND) == [replace(mail, tries=2)]


async def test_rescheduling_does_not_bring_back_a_delivered_mail(database: Database) -> None:
    """The lease of a slow server ended, and another server delivered the mail."""
    await enqueue(database)
    (slow,) = await lease(database, NOON)
    (fast,) = await lease(database, NOON + LEASE)
    await commit(database, outbox.mark_done, fast, NOON + LEASE)
    await commit(database, outbox.reschedule, slow, NOON)
    assert await lease(database, NOON + 24 * HOUR) == []


async def test_expired_mails_are_erased(database: Database, database_url: str) -> None:
    (old,) = await enqueue(database, create_time=NOON - HOUR)
    (new,) = await enqueue(database)
    await commit(database, outbox.erase_expired, NOON)
    statement = "SELECT payload FROM outbox WHERE message_id = $1"
    assert [await ask(database_url, statement, mail.message_id) for mail in (old, new)] == [None, b"sealed"]
    assert [mail.message_id for mail in await lease(database, NOON)] == [new.message_id]


async def test_unsent_mails_of_one_account_and_kind_are_erased(database: Database, database_url: str) -> None:
    (mail,), (other,) = await enqueue(database), await enqueue(database)
    statement = "SELECT payload IS NULL FROM outbox WHERE message_id = $1"
    for kind, erased in (("another-kind", False), ("sign-in-code", True)):
        await commit(database, outbox.erase_unsent, mail.account_id, kind)
        assert await ask(database_url, statement, mail.message_id) is erased
    assert await ask(database_url, statement, other.message_id) is False


async def test_a_decoy_is_written_and_never_leased(database: Database, database_url: str) -> None:
    mail = states.mail(await states.account(database))
    await commit(database, outbox.enqueue_decoy, mail)
    assert await rows(database_url, _STATE, mail.message_id) == [(None, None, NOON)]
    assert await lease(database, NOON + HOUR) == []
