"""Failed first factors, of one network and of all: counted by the database, whoever else counts."""

import asyncio
from datetime import timedelta
from functools import partial
from uuid import uuid4

from tests.storage import states
from tests.storage.databases import ask
from tests.storage.states import HOUR, MINUTE, NOON, SECOND
from twofactor_server.domain.first_factor_waits import BUDGET
from twofactor_server.domain.second_factors import Counter
from twofactor_server.storage import first_factor_failures as failures
from twofactor_server.storage import sessions
from twofactor_server.storage.database import Database

HERE, THERE = "192.0.2.0/24", "198.51.100.0/24"


async def counted(database: Database, subject: bytes, network: str = HERE) -> Counter:
    return await database.read(lambda tx: failures.find(tx, subject, network))


async def test_failures_are_counted_for_one_address_and_network(database: Database) -> None:
    subject, other = uuid4().bytes, uuid4().bytes
    for number in range(1, 7):
        await database.transact(lambda tx: failures.count(tx, subject, HERE, NOON))
        assert (await counted(database, subject)).failures == number
    assert await counted(database, subject) == Counter(6, NOON + 60 * SECOND)
    assert await counted(database, subject, THERE) == await counted(database, other) == Counter()


async def test_of_40_counts_at_once_none_is_lost(database: Database) -> None:
    """A count read and written by the server, instead of by the statement, loses most of them."""
    subject = uuid4().bytes
    await asyncio.gather(
        *(database.transact(lambda tx: failures.count(tx, subject, HERE, NOON)) for _ in range(40)),
        *(database.transact(lambda tx: failures.add_to_total(tx, subject, NOON)) for _ in range(40)),
    )
    assert await counted(database, subject) == Counter(40, NOON + HOUR)
    assert len(await database.read(lambda tx: failures.times(tx, subject))) == 40


async def test_of_several_charges_at_once_one_is_made(database: Database) -> None:
    """None while a wait is in force, and none for what is no longer as it was seen."""
    subject = uuid4().bytes
    for _ in range(4):
        await database.transact(lambda tx: failures.count(tx, subject, HERE, NOON))
    seen = await counted(database, subject)

    async def charge(after: timedelta) -> bool:
        return await database.transact(lambda tx: failures.charge(tx, subject, HERE, seen, NOON + after))

    assert sorted(await asyncio.gather(*(charge(SECOND) for _ in range(20)))) == [False] * 19 + [True]
    seen = await counted(database, subject)
    assert seen == Counter(5, NOON + 31 * SECOND)
    assert [await charge(30 * SECOND), await charge(31 * SECOND)] == [False, True]
    assert await counted(database, subject) == Counter(6, NOON + 91 * SECOND)
    await database.transact(lambda tx: failures.forgive(tx, subject, HERE))
    assert await charge(HOUR) is False
    assert await counted(database, subject) == Counter()


async def test_the_newest_hundred_of_an_address_are_kept_in_order(database: Database) -> None:
    subject = uuid4().bytes
    assert await database.read(lambda tx: failures.times(tx, subject)) == ()
    for number in range(BUDGET + 3):
        await database.transact(partial(failures.add_to_total, subject=subject, now=NOON + number * SECOND))
    kept = await database.read(lambda tx: failures.times(tx, subject))
    assert kept == [NOON + number * SECOND for number in range(3, BUDGET + 3)]


async def test_forgiven_is_the_network_and_cleared_the_address(database: Database, database_url: str) -> None:
    subject, other = uuid4().bytes, uuid4().bytes
    for one in (subject, other):
        for network in (HERE, THERE):
            await database.transact(partial(failures.count, subject=one, network_prefix=network, now=NOON))
        await database.transact(partial(failures.add_to_total, subject=one, now=NOON))
    await database.transact(lambda tx: failures.forgive(tx, subject, HERE))
    assert [(await counted(database, subject, network)).failures for network in (HERE, THERE)] == [0, 1]
    assert len(await database.read(lambda tx: failures.times(tx, subject))) == 1
    await database.transact(lambda tx: failures.clear(tx, subject))
    for table in ("first_factor_failures", "first_factor_totals"):
        left = f"SELECT count(*) FROM {table} WHERE subject = $1"  # noqa: S608 - our tables
        assert await ask(database_url, left, subject) == 0
        assert await ask(database_url, left, other) > 0


async def test_addresses_are_seen_of_sessions_that_were_active_lately(database: Database, database_url: str) -> None:
    owner, other = await states.account(database), await states.account(database)
    for who, address, active in (
        (owner, "192.0.2.1", NOON),
        (owner, "192.0.2.1", NOON + MINUTE),
        (owner, "192.0.2.2", NOON + HOUR),
        (owner, "192.0.2.3", NOON - SECOND),
        (other, "192.0.2.4", NOON + HOUR),
    ):
        session = await states.session(database, who)
        await database.transact(partial(sessions.touch, session=session, now=active))
        statement = "UPDATE sessions SET ip_address = $2, end_time = now() WHERE session_id = $1"
        await ask(database_url, statement, session.session_id, address)
    seen = await database.read(lambda tx: failures.addresses_seen(tx, owner.account_id, NOON - SECOND))
    assert sorted(seen) == ["192.0.2.1", "192.0.2.2"]
