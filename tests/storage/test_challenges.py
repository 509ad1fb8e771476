"""Challenges: one caller's, charged five times at most, completed once."""

import asyncio
from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest

from tests.storage import states
from tests.storage.databases import ask
from tests.storage.states import MINUTE, NOON
from twofactor_server.domain.challenges import Challenge
from twofactor_server.storage import challenges
from twofactor_server.storage.database import Database, Transaction
from twofactor_server.storage.second_factors import GuardMissed


async def found(database: Database, challenge: Challenge, digest: bytes) -> Challenge:
    record = await database.read(lambda tx: challenges.find(tx, challenge.account_id, digest, "local"))
    assert record is not None
    return record


async def test_a_challenge_is_found_by_its_token_and_its_caller_only(database: Database) -> None:
    """ "A challenge belongs to the caller that started it; to any other it does not exist"."""
    owner, stranger = await states.account(database), await states.account(database)
    challenge = await states.challenge(database, owner, digest=b"token")
    others = [
        (owner.account_id, b"token", "other"),
        (owner.account_id, b"other", "local"),
        (stranger.account_id, b"token", "local"),
        (uuid4(), b"token", "local"),
    ]
    for look in (challenges.find, challenges.lock):
        own = partial(look, account_id=owner.account_id, digest=b"token", caller="local")
        assert await database.transact(own) == challenge
        for account_id, digest, caller in others:
            other = partial(look, account_id=account_id, digest=digest, caller=caller)
            assert await database.transact(other) is None


async def test_a_locked_challenge_is_read_after_the_lock(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def first(tx: Transaction) -> None:
        assert await challenges.lock(tx, challenge.account_id, b"token", "local")
        locked.set()
        await go_on.wait()
        await challenges.complete(tx, challenge, NOON)

    holding = asyncio.create_task(database.transact(first))
    await locked.wait()
    waiting = asyncio.create_task(
        database.transact(lambda tx: challenges.lock(tx, challenge.account_id, b"token", "local"))
    )
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    go_on.set()
    assert not done, "it waits for the lock"
    await holding
    record = await waiting
    assert record is not None
    assert record.complete_time == NOON


async def test_attempts_count_down_and_the_sixth_charges_nothing(database: Database) -> None:
    """On one challenge, attempts_left 4, 3, 2, 1, 0; then None."""
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    left = [await database.transact(lambda tx: challenges.charge_attempt(tx, challenge)) for _ in range(7)]
    assert left == [4, 3, 2, 1, 0, None, None]
    assert (await found(database, challenge, b"token")).attempts == 5


async def test_of_40_charges_at_once_exactly_five_are_made(database: Database) -> None:
    """Without a lock taken before: the guarded UPDATE itself looks at what the one before it wrote.

    With ``attempts < 5`` taken out of the statement, CHECK refused the sixth, and the answer was an error.
    """
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    left = await asyncio.gather(
        *(database.transact(lambda tx: challenges.charge_attempt(tx, challenge)) for _ in range(40))
    )
    assert sorted(one for one in left if one is not None) == [0, 1, 2, 3, 4]
    assert left.count(None) == 35


async def test_a_challenge_is_completed_once(database: Database) -> None:
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    await database.transact(lambda tx: challenges.complete(tx, challenge, NOON))
    with pytest.raises(GuardMissed):
        await database.transact(lambda tx: challenges.complete(tx, challenge, NOON + MINUTE))
    assert await found(database, challenge, b"token") == replace(challenge, complete_time=NOON)


async def test_a_voided_challenge_is_never_completed(database: Database, database_url: str) -> None:
    """(✗ a statement that merely joined ``challenges`` granted a session on one that was voided while it waited.)"""
    challenge = await states.challenge(database, await states.account(database), digest=b"token")
    statement = "UPDATE challenges SET void_time = $2 WHERE challenge_id = $1"
    await ask(database_url, statement, challenge.challenge_id, NOON)
    with pytest.raises(GuardMissed):
        await database.transact(lambda tx: challenges.complete(tx, challenge, NOON))
    assert (await found(database, challenge, b"token")).complete_time is None


async def test_open_challenges_are_voided_and_no_others(database: Database) -> None:
    """Also one whose time is up, for an attempt of it may be under way. A completed one stays completed, one that was
    void keeps its moment, and another account's goes on."""
    owner, stranger = await states.account(database), await states.account(database)
    opened, completed, spent, over = [
        await states.challenge(database, owner, digest=bytes([n]), create_time=NOON - (n == 3) * 10 * MINUTE)
        for n in range(4)
    ]
    other = await states.challenge(database, stranger, digest=b"other")
    await database.transact(lambda tx: challenges.complete(tx, completed, NOON))
    for _ in range(5):
        await database.transact(lambda tx: challenges.charge_attempt(tx, spent))
    await database.transact(lambda tx: challenges.void_open(tx, owner.account_id, NOON))
    void = await states.challenge(database, owner, digest=b"void")
    await database.transact(lambda tx: challenges.void_open(tx, owner.account_id, NOON + MINUTE))
    await database.transact(lambda tx: challenges.void_open(tx, owner.account_id, NOON + 2 * MINUTE))
    digests = [(opened, b"\x00"), (completed, b"\x01"), (void, b"void"), (spent, b"\x02"), (over, b"\x03")]
    voided = [(await found(database, one, digest)).void_time for one, digest in [*digests, (other, b"other")]]
    assert voided == [NOON, None, NOON + MINUTE, NOON, NOON, None]
    with pytest.raises(GuardMissed):
        await database.transact(lambda tx: challenges.complete(tx, opened, NOON))
