"""Spent backup codes, and the attempts to use one."""

import asyncio
from datetime import datetime
from uuid import uuid4

import asyncpg
import pytest

from tests.storage import states
from tests.storage.databases import ask, commit, read
from tests.storage.states import HOUR, MINUTE, NOON, PREFIX, SECOND
from twofactor_server.domain.challenges import Challenge
from twofactor_server.storage import backup_codes
from twofactor_server.storage.backup_codes import Attempt, AttemptVerdict, GenerationAlreadySpent
from twofactor_server.storage.database import Database

PENDING, WRONG, USED, RIGHT = AttemptVerdict
OTHER_PREFIX = "198.51.100.0/24"


async def charge(
    database: Database,
    challenge: Challenge,
    fingerprint: bytes,
    *,
    verdict: AttemptVerdict = PENDING,
    prefix: str = PREFIX,
    now: datetime = NOON,
) -> None:
    await commit(database, backup_codes.add_attempt, challenge, fingerprint, verdict, prefix, now)


async def attempt(database: Database, challenge: Challenge, *fingerprints: bytes) -> Attempt | None:
    return await read(database, backup_codes.find_attempt, challenge, fingerprints)


async def test_an_attempt_is_found_under_any_of_its_fingerprints(database: Database) -> None:
    """A code has one fingerprint for each key of the keyring."""
    owner = await states.account(database)
    challenge, other = [await states.challenge(database, owner) for _ in range(2)]
    await charge(database, challenge, b"old key's")
    assert await attempt(database, challenge, b"new key's", b"old key's") == Attempt(b"old key's", PENDING, 0)
    assert await attempt(database, challenge, b"new key's") is None
    assert await attempt(database, other, b"new key's", b"old key's") is None


async def test_an_attempt_is_finalized_once(database: Database) -> None:
    """One of several concurrent calls succeeds, and the verdict never changes afterwards."""
    challenge = await states.challenge(database, await states.account(database))
    await charge(database, challenge, b"code")
    calls = (commit(database, backup_codes.finalize_attempt, challenge, [b"new", b"code"], WRONG) for _ in range(8))
    assert sorted(await asyncio.gather(*calls)) == [False] * 7 + [True]
    assert await commit(database, backup_codes.finalize_attempt, challenge, [b"code"], RIGHT) is False
    assert await attempt(database, challenge, b"code") == Attempt(b"code", WRONG, 0)


async def test_reverifications_are_counted(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database))
    await charge(database, challenge, b"code")
    for count in (1, 2, 3):
        found = await attempt(database, challenge, b"code")
        assert found is not None
        await commit(database, backup_codes.count_reverification, challenge, found)
        assert await attempt(database, challenge, b"code") == Attempt(b"code", PENDING, count)


async def recent(database: Database, challenge: Challenge, now: datetime) -> tuple[list[datetime], list[datetime]]:
    return await read(database, backup_codes.recent_attempt_times, challenge.account_id, PREFIX, now)


async def test_distinct_codes_that_are_pending_or_wrong_are_counted(database: Database) -> None:
    """A code that is typed again is not another guess. Used and right codes do not count."""
    owner = await states.account(database)
    first, second, third = [await states.challenge(database, owner) for _ in range(3)]
    later = NOON + MINUTE
    await charge(database, first, b"guess", verdict=WRONG)
    await charge(database, second, b"guess", now=later)
    await charge(database, third, b"guess", prefix=OTHER_PREFIX, now=later)
    await charge(database, first, b"other", now=later)
    await charge(database, first, b"elsewhere", prefix=OTHER_PREFIX, now=later + SECOND)
    await charge(database, first, b"used", verdict=USED)
    await charge(database, first, b"right", verdict=RIGHT)
    stranger = await states.challenge(database, await states.account(database))
    await charge(database, stranger, b"stranger's", now=later)
    times = await recent(database, first, NOON + 2 * MINUTE)
    assert times == ([NOON, later, later + SECOND], [NOON, later])


async def test_a_code_counts_for_an_hour_after_its_first_try(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database))
    await charge(database, challenge, b"guess", verdict=WRONG)
    assert await recent(database, challenge, NOON + HOUR - SECOND) == ([NOON], [NOON])
    assert await recent(database, challenge, NOON + HOUR) == ([], [])


async def test_a_used_code_and_its_generation_have_a_spend_time(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    first, second = NOON + MINUTE, NOON + 2 * MINUTE
    await commit(database, backup_codes.spend, owner.account_id, 1, b"code 1", first)
    await commit(database, backup_codes.spend, owner.account_id, 2, b"code 2", second)
    for account, fingerprints, expected in (
        (owner, [b"new key's", b"code 1"], first),
        (owner, [b"code 1", b"code 2"], second),
        (owner, [b"never issued"], None),
        (stranger, [b"code 1"], None),
    ):
        assert await read(database, backup_codes.find_spend_time, account.account_id, fingerprints) == expected
    for generation, expected in ((1, first), (2, second), (3, None)):
        time = await read(database, backup_codes.find_generation_spend_time, owner.account_id, generation)
        assert time == expected


async def test_one_of_several_concurrent_calls_spends_a_generation(database: Database, database_url: str) -> None:
    """The primary key alone guarantees it; no lock is taken here."""
    owner = await states.account(database)

    async def spend(fingerprint: bytes) -> bool:
        try:
            await commit(database, backup_codes.spend, owner.account_id, 1, fingerprint, NOON)
        except GenerationAlreadySpent:
            return False
        return True

    spent = await asyncio.gather(*(spend(bytes([i])) for i in range(8)))
    assert sorted(spent) == [False] * 7 + [True]
    statement = "SELECT count(*) FROM spent_backup_codes WHERE account_id = $1"
    assert await ask(database_url, statement, owner.account_id) == 1


async def test_another_violation_is_not_reported_as_a_spent_generation(database: Database) -> None:
    with pytest.raises(asyncpg.ForeignKeyViolationError, match="fk_spent_backup_codes"):
        await commit(database, backup_codes.spend, uuid4(), 1, b"code", NOON)
