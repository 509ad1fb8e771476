"""The account's second factor: one row, one lock, and changes that say which state they expect."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from uuid import uuid4

import pytest

from tests.storage import states
from tests.storage.states import HOUR, MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.second_factors import Counter, Method, SecondFactor
from twofactor_server.storage import second_factors
from twofactor_server.storage.database import Database, Transaction
from twofactor_server.storage.second_factors import GuardMissed

Change = Callable[[Transaction], Awaitable[object]]


async def read(database: Database, owner: Account) -> SecondFactor:
    factor = await database.read(lambda tx: second_factors.read(tx, owner.account_id))
    assert factor is not None
    return factor


async def missed(database: Database, change: Change) -> None:
    """The change meets another state than it expects; its transaction rolls back."""
    with pytest.raises(GuardMissed):
        await database.transact(change)


async def test_what_the_lock_returns_was_read_after_it_was_had(database: Database) -> None:
    """A transaction that had to wait sees what the one before it committed (✗ "lock, then load": a row read before
    the lock is stale)."""
    owner = await states.account_with_authenticator(database)
    locked, go_on = asyncio.Event(), asyncio.Event()

    async def first(tx: Transaction) -> None:
        assert await second_factors.lock(tx, owner.account_id)
        locked.set()
        await go_on.wait()
        await second_factors.replace_backup_code(tx, owner.account_id, 1, "$argon2id$2", NOON)

    async def second(tx: Transaction) -> SecondFactor | None:
        return await second_factors.lock(tx, owner.account_id)

    holding = asyncio.create_task(database.transact(first))
    await locked.wait()
    waiting = asyncio.create_task(database.transact(second))
    done, _ = await asyncio.wait({waiting}, timeout=0.1)
    go_on.set()
    assert not done, "it waits for the lock"
    await holding
    factor = await waiting
    assert factor is not None
    assert (factor.generation, factor.backup_code_hash) == (2, "$argon2id$2")


async def test_a_lock_on_one_account_keeps_no_other_waiting_and_no_reader(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)

    async def work(tx: Transaction) -> None:
        assert await second_factors.lock(tx, owner.account_id)
        assert await database.transact(lambda tx2: second_factors.lock(tx2, other.account_id))
        assert await read(database, owner)
        # Inserts that name the account go on as well: a plain FOR UPDATE somewhere would stop them.
        assert await states.challenge(database, owner)

    await asyncio.wait_for(database.transact(work), 3)


async def test_an_unknown_account_has_no_second_factor(database: Database) -> None:
    assert await database.transact(lambda tx: second_factors.lock(tx, uuid4())) is None
    assert await database.read(lambda tx: second_factors.read(tx, uuid4())) is None


async def test_turning_on_changes_secret_and_code_together_and_starts_counters_anew(database: Database) -> None:
    owner = await states.account(database)
    count = Counter(7, NOON + MINUTE)
    await database.transact(lambda tx: second_factors.count_authenticator(tx, owner.account_id, count, disabled=True))
    await database.transact(lambda tx: states.turn_on(tx, owner.account_id, generation=0))
    factor = await read(database, owner)
    assert (factor.method, factor.totp_secret, factor.backup_code_hash) == (
        Method.AUTHENTICATOR,
        b"sealed",
        "$argon2id$1",
    )
    assert (factor.generation, factor.last_step, factor.saved_time) == (1, 100, None)
    assert (factor.enable_time, factor.backup_code_create_time) == (NOON, NOON)
    assert (factor.authenticator, factor.authenticator_disabled) == (Counter(), False)
    await missed(database, lambda tx: states.turn_on(tx, owner.account_id, generation=0))


async def test_a_replaced_code_is_the_next_generation_and_not_saved(database: Database) -> None:
    owner = await states.account_with_authenticator(database)
    await database.transact(lambda tx: second_factors.mark_saved(tx, owner.account_id, 1, NOON))

    def replace(generation: int) -> Change:
        return lambda tx: second_factors.replace_backup_code(tx, owner.account_id, generation, "$argon2id$2", NOON)

    await database.transact(replace(1))
    factor = await read(database, owner)
    assert (factor.generation, factor.backup_code_hash, factor.saved_time) == (2, "$argon2id$2", None)
    for other in (0, 1, 3):
        await missed(database, replace(other))
    assert (await read(database, owner)).generation == 2


async def test_an_account_on_email_codes_has_no_code_to_replace(database: Database) -> None:
    owner = await states.account(database)
    await missed(database, lambda tx: second_factors.replace_backup_code(tx, owner.account_id, 0, "$argon2id$2", NOON))
    await missed(database, lambda tx: second_factors.turn_off_authenticator(tx, owner.account_id, 0))


async def test_a_generation_survives_removal_and_is_never_given_again(database: Database) -> None:
    """(✗ restarting at 1 let an old code spend a new one, and later refused a valid code for ever.)"""
    owner = await states.account_with_authenticator(database)
    await missed(database, lambda tx: second_factors.turn_off_authenticator(tx, owner.account_id, 2))
    await database.transact(lambda tx: second_factors.turn_off_authenticator(tx, owner.account_id, 1))
    factor = await read(database, owner)
    assert (factor.method, factor.generation) == (Method.EMAIL, 1)
    gone = (factor.totp_secret, factor.last_step, factor.enable_time, factor.backup_code_hash, factor.saved_time)
    assert gone == (None, None, None, None, None)
    await database.transact(lambda tx: states.turn_on(tx, owner.account_id, generation=1))
    assert (await read(database, owner)).generation == 2


async def test_an_accepted_step_spends_every_earlier_one_and_clears_the_wait(database: Database) -> None:
    owner = await states.account_with_authenticator(database)
    count = Counter(7, NOON + MINUTE)
    await database.transact(lambda tx: second_factors.count_authenticator(tx, owner.account_id, count, disabled=False))
    await database.transact(lambda tx: second_factors.accept_step(tx, owner.account_id, 102))
    factor = await read(database, owner)
    assert (factor.last_step, factor.authenticator) == (102, Counter())
    for spent in (102, 101, 1):
        await missed(database, partial(second_factors.accept_step, account_id=owner.account_id, step=spent))
    assert (await read(database, owner)).last_step == 102


async def test_a_code_is_marked_saved_once_and_only_the_current_one(database: Database) -> None:
    owner = await states.account_with_authenticator(database)

    async def saved(generation: int) -> bool:
        later = NOON + HOUR
        return await database.transact(lambda tx: second_factors.mark_saved(tx, owner.account_id, generation, later))

    assert [await saved(generation) for generation in (0, 2, 1, 1)] == [False, False, True, False]
    assert (await read(database, owner)).saved_time == NOON + HOUR


async def test_counters_are_per_method(database: Database) -> None:
    """ "A success of a method clears that method's counter and wait, only those"."""
    owner = await states.account_with_authenticator(database)
    emails, authenticator = Counter(3), Counter(99, NOON)
    await database.transact(lambda tx: second_factors.count_email_codes(tx, owner.account_id, emails))
    await database.transact(
        lambda tx: second_factors.count_authenticator(tx, owner.account_id, authenticator, disabled=True)
    )
    factor = await read(database, owner)
    assert (factor.email_codes, factor.authenticator, factor.authenticator_disabled) == (emails, authenticator, True)
    await database.transact(lambda tx: second_factors.count_email_codes(tx, owner.account_id, Counter()))
    factor = await read(database, owner)
    assert (factor.email_codes, factor.authenticator) == (Counter(), authenticator)


async def test_a_change_of_an_unknown_account_is_missed(database: Database) -> None:
    await missed(database, lambda tx: second_factors.count_email_codes(tx, uuid4(), Counter(1)))
    await missed(database, lambda tx: second_factors.accept_step(tx, uuid4(), 1))
