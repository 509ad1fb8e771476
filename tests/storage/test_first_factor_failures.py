"""Failed first factors, counted by the database for one network and for all networks."""

import asyncio
from datetime import timedelta
from uuid import uuid4

from tests.storage import states
from tests.storage.databases import ask, commit, read
from tests.storage.states import HOUR, MINUTE, NOON, SECOND
from twofactor_server.domain.limits import FIRST_FACTOR_FAILURES
from twofactor_server.domain.second_factors import Counter
from twofactor_server.storage import first_factor_failures as failures
from twofactor_server.storage import sessions
from twofactor_server.storage.database import Database

HERE, THERE = "192.0.2.0/24", "198.51.100.0/24"


async def counter(database: Database, subject: bytes, network: str = HERE) -> Counter:
    return await read(database, failures.find_counter, subject, network)


async def test_failures_are_counted_for_one_address_and_network(database: Database) -> None:
    subject, other = uuid4().bytes, uuid4().bytes
    for number in range(1, 7):
        await commit(database, failures.count_failure, subject, HERE, NOON)
        assert (await counter(database, subject)).failures == number
    assert await counter(database, subject) == Counter(6, NOON + 60 * SECOND)
    assert await counter(database, subject, THERE) == await counter(database, other) == Counter()


async def test_concurrent_failures_are_all_counted(database: Database) -> None:
    """A counter that the server reads and writes, instead of one statement, loses most of them."""
    subject = uuid4().bytes
    await asyncio.gather(
        *(commit(database, failures.count_failure, subject, HERE, NOON) for _ in range(40)),
        *(commit(database, failures.add_failure_time, subject, NOON) for _ in range(40)),
    )
    assert await counter(database, subject) == Counter(40, NOON + HOUR)
    assert len(await read(database, failures.recent_failure_times, subject)) == 40


async def test_one_of_several_concurrent_attempts_is_charged(database: Database) -> None:
    """None is charged during a wait, or if the counter has changed."""
    subject = uuid4().bytes
    for _ in range(4):
        await commit(database, failures.count_failure, subject, HERE, NOON)
    seen = await counter(database, subject)

    async def charge(after: timedelta) -> bool:
        return await commit(database, failures.charge_attempt, subject, HERE, seen, NOON + after)

    assert sorted(await asyncio.gather(*(charge(SECOND) for _ in range(20)))) == [False] * 19 + [True]
    seen = await counter(database, subject)
    assert seen == Counter(5, NOON + 31 * SECOND)
    assert [await charge(30 * SECOND), await charge(31 * SECOND)] == [False, True]
    assert await counter(database, subject) == Counter(6, NOON + 91 * SECOND)
    await commit(database, failures.clear_network, subject, HERE)
    assert await charge(HOUR) is False
    assert await counter(database, subject) == Counter()


async def test_the_newest_failure_times_are_kept_in_order(database: Database) -> None:
    subject, budget = uuid4().bytes, FIRST_FACTOR_FAILURES.count
    assert await read(database, failures.recent_failure_times, subject) == ()
    for number in range(budget + 3):
        await commit(database, failures.add_failure_time, subject, NOON + number * SECOND)
    times = await read(database, failures.recent_failure_times, subject)
    assert times == [NOON + number * SECOND for number in range(3, budget + 3)]


async def test_one_network_or_the_whole_address_is_cleared(database: Database, database_url: str) -> None:
    subject, other = uuid4().bytes, uuid4().bytes
    for one in (subject, other):
        for network in (HERE, THERE):
            await commit(database, failures.count_failure, one, network, NOON)
        await commit(database, failures.add_failure_time, one, NOON)
    await commit(database, failures.clear_network, subject, HERE)
    assert [(await counter(database, subject, network)).failures for network in (HERE, THERE)] == [0, 1]
    assert len(await read(database, failures.recent_failure_times, subject)) == 1
    await commit(database, failures.clear_address, subject)
    for table in ("first_factor_failures", "first_factor_totals"):
        statement = f"SELECT count(*) FROM {table} WHERE subject = $1"  # noqa: S608 - our tables
        assert await ask(database_url, statement, subject) == 0
        assert await ask(database_url, statement, other) > 0


async def test_addresses_of_recently_active_sessions_are_listed(database: Database, database_url: str) -> None:
    """Ended sessions included."""
    owner, other = await states.account(database), await states.account(database)
    for account, address, active in (
        (owner, "192.0.2.1", NOON),
        (owner, "192.0.2.1", NOON + MINUTE),
        (owner, "192.0.2.2", NOON + HOUR),
        (owner, "192.0.2.3", NOON - SECOND),
        (other, "192.0.2.4", NOON + HOUR),
    ):
        session = await states.session(database, account)
        await commit(database, sessions.touch, session, active)
        statement = "UPDATE sessions SET ip_address = $2, end_time = now() WHERE session_id = $1"
        await ask(database_url, statement, session.session_id, address)
    addresses = await read(database, failures.list_session_addresses, owner.account_id, NOON - SECOND)
    assert sorted(addresses) == ["192.0.2.1", "192.0.2.2"]
