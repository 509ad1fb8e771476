"""Spent backup codes, and the attempts to use one."""

import asyncio
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

import pytest

from tests.storage import states
from tests.storage.databases import ask
from tests.storage.states import HOUR, MINUTE, NOON, PREFIX, SECOND
from twofactor_server.domain.challenges import Challenge
from twofactor_server.storage import backup_codes
from twofactor_server.storage.backup_codes import Attempt, AttemptVerdict, GenerationSpentTwice
from twofactor_server.storage.database import Database

PENDING, WRONG, USED, RIGHT = AttemptVerdict


async def charged(
    database: Database,
    challenge: Challenge,
    fingerprint: bytes,
    *,
    verdict: AttemptVerdict = PENDING,
    prefix: str = PREFIX,
    now: datetime = NOON,
) -> None:
    await database.transact(lambda tx: backup_codes.add_attempt(tx, challenge, fingerprint, verdict, prefix, now))


async def attempt(database: Database, challenge: Challenge, *fingerprints: bytes) -> Attempt | None:
    return await database.read(lambda tx: backup_codes.find_attempt(tx, challenge, fingerprints))


async def test_an_attempt_is_found_under_whichever_key_it_was_charged(database: Database) -> None:
    owner = await states.account(database)
    challenge, other = [await states.challenge(database, owner) for _ in range(2)]
    await charged(database, challenge, b"old key's")
    assert await attempt(database, challenge, b"new key's", b"old key's") == Attempt(b"old key's", PENDING, 0)
    assert await attempt(database, challenge, b"new key's") is None
    assert await attempt(database, other, b"new key's", b"old key's") is None


async def test_an_attempt_is_settled_once(database: Database) -> None:
    """ "A settled attempt never changes again"; of several that settle it at once, one does."""
    challenge = await states.challenge(database, await states.account(database))
    await charged(database, challenge, b"code")
    settled = await asyncio.gather(
        *(database.transact(lambda tx: backup_codes.settle(tx, challenge, [b"new", b"code"], WRONG)) for _ in range(8))
    )
    assert sorted(settled) == [False] * 7 + [True]
    assert await database.transact(lambda tx: backup_codes.settle(tx, challenge, [b"code"], RIGHT)) is False
    assert await attempt(database, challenge, b"code") == Attempt(b"code", WRONG, 0)


async def test_judging_again_is_counted(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database))
    await charged(database, challenge, b"code")
    for count in (1, 2, 3):
        found = await attempt(database, challenge, b"code")
        assert found is not None
        await database.transact(partial(backup_codes.count_rejudgement, challenge=challenge, attempt=found))
        assert await attempt(database, challenge, b"code") == Attempt(b"code", PENDING, count)


async def counted(database: Database, challenge: Challenge, now: datetime) -> tuple[list[datetime], list[datetime]]:
    return await database.read(lambda tx: backup_codes.counted_codes(tx, challenge.account_id, PREFIX, now))


async def test_distinct_codes_pending_or_wrong_within_the_hour_count(database: Database) -> None:
    """ "A code typed again is not another guess"; used and right ones do not count."""
    owner = await states.account(database)
    first, second, third = [await states.challenge(database, owner) for _ in range(3)]
    later = NOON + MINUTE
    await charged(database, first, b"guess", verdict=WRONG)
    await charged(database, second, b"guess", now=later)
    await charged(database, third, b"guess", prefix="198.51.100.0/24", now=later)
    await charged(database, first, b"other", now=later)
    await charged(database, first, b"elsewhere", prefix="198.51.100.0/24", now=later + SECOND)
    await charged(database, first, b"used", verdict=USED)
    await charged(database, first, b"right", verdict=RIGHT)
    stranger = await states.challenge(database, await states.account(database))
    await charged(database, stranger, b"stranger's", now=later)
    now = NOON + 2 * MINUTE
    assert await counted(database, first, now) == ([NOON, later, later + SECOND], [NOON, later])


async def test_a_code_counts_for_an_hour_from_its_first_try(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database))
    await charged(database, challenge, b"guess", verdict=WRONG)
    assert await counted(database, challenge, NOON + HOUR - SECOND) == ([NOON], [NOON])
    assert await counted(database, challenge, NOON + HOUR) == ([], [])


async def test_a_used_code_is_recognised_with_its_time(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    account_id = owner.account_id
    for generation in (1, 2):
        spend = partial(backup_codes.spend, account_id=account_id, generation=generation)
        fingerprint = f"code {generation}".encode()
        await database.transact(partial(spend, fingerprint=fingerprint, now=NOON + generation * MINUTE))

    async def spent_at(account_id: UUID, *prints: bytes) -> datetime | None:
        return await database.read(partial(backup_codes.spent_at, account_id=account_id, fingerprints=prints))

    async def generation_spent_at(generation: int) -> datetime | None:
        look = partial(backup_codes.generation_spent_at, account_id=account_id, generation=generation)
        return await database.read(look)

    assert await spent_at(account_id, b"new key's", b"code 1") == NOON + MINUTE
    assert await spent_at(account_id, b"code 1", b"code 2") == NOON + 2 * MINUTE
    assert await spent_at(account_id, b"never issued") is None
    assert await spent_at(stranger.account_id, b"code 1") is None
    times = [await generation_spent_at(generation) for generation in (1, 2, 3)]
    assert times == [NOON + MINUTE, NOON + 2 * MINUTE, None]


async def test_of_several_who_spend_a_generation_at_once_one_succeeds(database: Database, database_url: str) -> None:
    """Without any lock: the primary key alone. "At most one caller ever succeeds; any other: GenerationSpentTwice"."""
    owner = await states.account(database)

    async def spend(fingerprint: bytes) -> bool:
        try:
            await database.transact(lambda tx: backup_codes.spend(tx, owner.account_id, 1, fingerprint, NOON))
        except GenerationSpentTwice:
            return False
        return True

    spent = await asyncio.gather(*(spend(bytes([i])) for i in range(8)))
    assert sorted(spent) == [False] * 7 + [True]
    statement = "SELECT count(*) FROM spent_backup_codes WHERE account_id = $1"
    assert await ask(database_url, statement, owner.account_id) == 1


async def test_another_violation_is_not_taken_for_a_generation_spent_twice(database: Database) -> None:
    with pytest.raises(Exception, match="fk_spent_backup_codes"):
        await database.transact(lambda tx: backup_codes.spend(tx, uuid4(), 1, b"code", NOON))
