"""Wrong second factors, counted over a day; and the suspension that may come of them."""

from functools import partial
from uuid import uuid4

from tests.storage import states
from tests.storage.databases import ask
from tests.storage.states import HOUR, MINUTE, NOON, SECOND
from twofactor_server.domain.accounts import Account
from twofactor_server.storage import accounts, second_factor_failures
from twofactor_server.storage.database import Database


async def test_failures_are_counted_after_a_moment_by_account(database: Database) -> None:
    """On whichever challenge; one at the moment itself is too old."""
    owner, stranger = await states.account(database), await states.account(database)
    challenges = [await states.challenge(database, owner) for _ in range(2)]
    for number, moment in enumerate((NOON, NOON + HOUR, NOON + HOUR, NOON + 2 * HOUR)):
        wrong = partial(second_factor_failures.add, challenge=challenges[number % 2], now=moment)
        await database.transact(wrong)
    counted = [
        await database.transact(partial(second_factor_failures.count_since, account_id=who, since=since))
        for who, since in (
            (owner.account_id, NOON - SECOND),
            (owner.account_id, NOON),
            (owner.account_id, NOON + HOUR),
            (owner.account_id, NOON + 2 * HOUR),
            (stranger.account_id, NOON - SECOND),
        )
    ]
    assert counted == [4, 3, 1, 0, 0]


async def test_they_are_forgotten_by_account(database: Database) -> None:
    owners = [await states.account(database) for _ in range(2)]
    for owner in owners:
        challenge = await states.challenge(database, owner)
        await database.transact(partial(second_factor_failures.add, challenge=challenge, now=NOON))
    await database.transact(partial(second_factor_failures.clear, account_id=owners[0].account_id))
    since = NOON - SECOND
    left = [
        await database.transact(partial(second_factor_failures.count_since, account_id=one.account_id, since=since))
        for one in owners
    ]
    assert left == [0, 1]


async def suspend_time(database: Database, owner: Account) -> object:
    found = await database.read(partial(accounts.by_id, account_id=owner.account_id))
    assert found is not None
    return found.suspend_time


async def test_an_account_is_suspended_once_until_it_is_lifted(database: Database) -> None:
    owner = await states.account(database)
    suspend = partial(accounts.suspend, account_id=owner.account_id)
    assert [await database.transact(partial(suspend, now=NOON + n * MINUTE)) for n in range(2)] == [True, False]
    assert await suspend_time(database, owner) == NOON
    for _ in range(2):
        await database.transact(partial(accounts.lift_suspension, account_id=owner.account_id))
        assert await suspend_time(database, owner) is None
    assert await database.transact(partial(suspend, now=NOON + HOUR))
    assert not await database.transact(partial(accounts.suspend, account_id=uuid4(), now=NOON))


async def test_a_closed_account_is_not_suspended(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    await ask(database_url, "UPDATE accounts SET close_time = $2 WHERE account_id = $1", owner.account_id, NOON)
    assert not await database.transact(partial(accounts.suspend, account_id=owner.account_id, now=NOON))
