"""Challenges: visible to one caller, charged five times at most, completed once."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from tests.storage import states
from tests.storage.databases import commit, read
from tests.storage.states import MINUTE, NOON
from twofactor_server.domain.challenges import Challenge
from twofactor_server.storage import challenges
from twofactor_server.storage.database import Database, StaleState


async def found(database: Database, challenge: Challenge, digest: bytes = b"token") -> Challenge:
    record = await read(database, challenges.find, challenge.account_id, digest, "local")
    assert record is not None
    return record


async def test_a_challenge_is_found_by_its_token_and_caller_only(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    challenge = await states.challenge(database, owner, digest=b"token")
    for function in (challenges.find, challenges.lock):
        assert await commit(database, function, owner.account_id, b"token", "local") == challenge
        for account_id, digest, caller in (
            (owner.account_id, b"token", "other"),
            (owner.account_id, b"other", "local"),
            (stranger.account_id, b"token", "local"),
            (uuid4(), b"token", "local"),
        ):
            assert await commit(database, function, account_id, digest, caller) is None


async def test_a_challenge_is_read_after_it_is_locked(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    key = (challenge.account_id, b"token", "local")
    async with database.transaction() as tx:
        assert await challenges.lock(tx, *key)
        waiting = asyncio.create_task(commit(database, challenges.lock, *key))
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
        await challenges.complete(tx, challenge, NOON)
    assert await waiting == replace(challenge, complete_time=NOON)


async def test_attempts_are_counted_down_and_the_sixth_is_not_charged(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    left = [await commit(database, challenges.charge_attempt, challenge) for _ in range(7)]
    assert left == [4, 3, 2, 1, 0, None, None]
    assert (await found(database, challenge)).attempts == 5


async def test_five_of_forty_concurrent_attempts_are_charged(database: Database) -> None:
    """No lock is taken before: the guarded UPDATE sees what the one before it wrote.

    Without ``attempts < 5`` in the statement, the CHECK constraint refused the sixth, and the call failed.
    """
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    left = await asyncio.gather(*(commit(database, challenges.charge_attempt, challenge) for _ in range(40)))
    assert sorted(attempts for attempts in left if attempts is not None) == [0, 1, 2, 3, 4]
    assert left.count(None) == 35


async def test_a_challenge_is_completed_once(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    await commit(database, challenges.complete, challenge, NOON)
    with pytest.raises(StaleState):
        await commit(database, challenges.complete, challenge, NOON + MINUTE)
    assert await found(database, challenge) == replace(challenge, complete_time=NOON)


async def test_open_challenges_are_voided_and_never_completed(database: Database) -> None:
    """Expired and exhausted ones, too: one of their attempts may still be verified.

    Completed and void challenges keep their state, and so do those of other accounts.
    """
    owner, stranger = await states.account(database), await states.account(database)
    opened = await states.challenge(database, owner, digest=b"opened")
    completed = await states.challenge(database, owner, digest=b"completed")
    exhausted = await states.challenge(database, owner, digest=b"exhausted")
    expired = await states.challenge(database, owner, digest=b"expired", create_time=NOON - 10 * MINUTE)
    other = await states.challenge(database, stranger, digest=b"other")
    await commit(database, challenges.complete, completed, NOON)
    for _ in range(5):
        await commit(database, challenges.charge_attempt, exhausted)
    for now in (NOON, NOON + MINUTE):
        await commit(database, challenges.void_open, owner.account_id, now)
    for challenge, digest, void_time in (
        (opened, b"opened", NOON),
        (completed, b"completed", None),
        (exhausted, b"exhausted", NOON),
        (expired, b"expired", NOON),
        (other, b"other", None),
    ):
        assert (await found(database, challenge, digest)).void_time == void_time, digest
    with pytest.raises(StaleState):
        await commit(database, challenges.complete, opened, NOON)
    assert (await found(database, opened, b"opened")).complete_time is None


async def test_open_challenges_of_one_first_factor_are_voided(database: Database) -> None:
    owner = await states.account(database)
    challenge = await states.challenge(database, owner, digest=b"by password")
    for first_factor, void_time in (("oidc", None), ("password", NOON)):
        await commit(database, challenges.void_open_by_first_factor, owner.account_id, first_factor, NOON)
        assert (await found(database, challenge, b"by password")).void_time == void_time
