"""Wrong second factors after a right first factor."""

from tests.storage import states
from tests.storage.databases import commit
from tests.storage.states import HOUR, NOON, SECOND
from twofactor_server.storage import second_factor_failures
from twofactor_server.storage.database import Database


async def test_failures_of_one_account_are_counted_after_a_time(database: Database) -> None:
    """On all its challenges. A failure at that very time does not count."""
    owner, stranger = await states.account(database), await states.account(database)
    challenges = [await states.challenge(database, owner) for _ in range(2)]
    for number, time in enumerate((NOON, NOON + HOUR, NOON + HOUR, NOON + 2 * HOUR)):
        await commit(database, second_factor_failures.record, challenges[number % 2], time)
    for account, since, expected in (
        (owner, NOON - SECOND, 4),
        (owner, NOON, 3),
        (owner, NOON + HOUR, 1),
        (owner, NOON + 2 * HOUR, 0),
        (stranger, NOON - SECOND, 0),
    ):
        assert await commit(database, second_factor_failures.count_since, account.account_id, since) == expected


async def test_failures_of_one_account_are_cleared(database: Database) -> None:
    owners = [await states.account(database) for _ in range(2)]
    for owner in owners:
        await commit(database, second_factor_failures.record, await states.challenge(database, owner), NOON)
    await commit(database, second_factor_failures.clear, owners[0].account_id)
    left = [
        await commit(database, second_factor_failures.count_since, owner.account_id, NOON - SECOND) for owner in owners
    ]
    assert left == [0, 1]
