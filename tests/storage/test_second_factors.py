"""The second factor: one row, the account's lock, and changes that name the state that they expect."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Concatenate, ParamSpec
from uuid import uuid4

import pytest

from tests.storage import states
from tests.storage.databases import commit
from tests.storage.databases import read as read_outside
from tests.storage.states import HOUR, MINUTE, NOON, SECOND
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.second_factors import Counter, EarlierAuthenticator, Method, SecondFactor
from twofactor_server.storage import replies, second_factors
from twofactor_server.storage.database import Database, StaleState, Transaction

P = ParamSpec("P")


async def read(database: Database, owner: Account) -> SecondFactor:
    factor = await read_outside(database, second_factors.read, owner.account_id)
    assert factor is not None
    return factor


async def expect_stale(
    database: Database,
    function: Callable[Concatenate[Transaction, P], Awaitable[None]],
    *args: P.args,
    **kwargs: P.kwargs,
) -> None:
    with pytest.raises(StaleState):
        await commit(database, function, *args, **kwargs)


async def test_the_row_is_read_after_it_is_locked(database: Database) -> None:
    """A transaction that waited for the lock sees what the one before it committed."""
    owner = await states.account_with_authenticator(database)
    async with database.transaction() as tx:
        assert await second_factors.lock(tx, owner.account_id)
        waiting = asyncio.create_task(commit(database, second_factors.lock, owner.account_id))
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
        await second_factors.replace_backup_code(tx, owner.account_id, 1, "$argon2id$2", NOON)
    factor = await waiting
    assert factor is not None
    assert (factor.generation, factor.backup_code_hash) == (2, "$argon2id$2")


async def test_a_lock_blocks_no_other_account_no_reader_and_no_insert(database: Database) -> None:
    """FOR UPDATE would block inserts with a foreign key to the account."""
    owner, other = await states.account(database), await states.account(database)
    async with asyncio.timeout(3), database.transaction() as tx:
        assert await second_factors.lock(tx, owner.account_id)
        assert await commit(database, second_factors.lock, other.account_id)
        assert await read(database, owner)
        assert await states.challenge(database, owner)


async def test_an_unknown_account_has_no_second_factor(database: Database) -> None:
    assert await commit(database, second_factors.lock, uuid4()) is None
    assert await read_outside(database, second_factors.read, uuid4()) is None
    assert await read_outside(database, second_factors.read_for_status, uuid4(), NOON) is None


async def test_the_status_says_whether_a_reply_still_holds_the_backup_code(database: Database) -> None:
    """The current generation's, in a reply that is neither erased nor expired."""
    owner = await states.account_with_authenticator(database)
    reply = states.reply(owner, generation=1)
    older, erased = states.reply(owner, generation=0), replace(states.reply(owner, generation=1), sealed=None)

    async def status() -> list[bool]:
        found = [
            await read_outside(database, second_factors.read_for_status, owner.account_id, now)
            for now in (NOON, reply.expire_time - SECOND, reply.expire_time)
        ]
        factor = await read(database, owner)
        assert [status[0] for status in found if status] == [factor] * 3
        return [status[1] for status in found if status]

    for record in (older, erased):
        await commit(database, replies.store, record)
    assert await status() == [False, False, False]
    await commit(database, replies.store, reply)
    assert await status() == [True, True, False]


async def test_turning_on_sets_secret_and_code_together_and_resets_the_counter(database: Database) -> None:
    owner = await states.account(database)
    counter = Counter(7, NOON + MINUTE)
    await commit(database, second_factors.set_authenticator_counter, owner.account_id, counter, disabled=True)
    await commit(database, states.turn_on, owner.account_id, generation=0)
    factor = await read(database, owner)
    assert (factor.method, factor.totp_secret, factor.last_step) == (Method.AUTHENTICATOR, b"sealed", 100)
    assert (factor.generation, factor.backup_code_hash, factor.saved_time) == (1, "$argon2id$1", None)
    assert (factor.enable_time, factor.backup_code_create_time) == (NOON, NOON)
    assert (factor.authenticator, factor.authenticator_disabled) == (Counter(), False)
    await expect_stale(database, states.turn_on, owner.account_id, generation=0)


async def test_a_replaced_code_has_the_next_generation_and_is_not_saved(database: Database) -> None:
    owner = await states.account_with_authenticator(database)
    await commit(database, second_factors.mark_saved, owner.account_id, 1, NOON)
    await commit(database, second_factors.replace_backup_code, owner.account_id, 1, "$argon2id$2", NOON)
    factor = await read(database, owner)
    assert (factor.generation, factor.backup_code_hash, factor.saved_time) == (2, "$argon2id$2", None)
    for generation in (0, 1, 3):
        await expect_stale(
            database, second_factors.replace_backup_code, owner.account_id, generation, "$argon2id$3", NOON
        )
    assert await read(database, owner) == factor


async def test_an_account_on_email_codes_has_no_code_to_replace(database: Database) -> None:
    owner = await states.account(database)
    await expect_stale(database, second_factors.replace_backup_code, owner.account_id, 0, "$argon2id$2", NOON)
    await expect_stale(database, second_factors.turn_off_authenticator, owner.account_id, 0)


async def test_generations_are_not_reused_after_a_removal(database: Database) -> None:
    """If they restarted at 1, an old code would spend a new one, and later a valid code would be refused."""
    owner = await states.account_with_authenticator(database)
    await expect_stale(database, second_factors.turn_off_authenticator, owner.account_id, 2)
    await commit(database, second_factors.turn_off_authenticator, owner.account_id, 1)
    factor = await read(database, owner)
    assert (factor.method, factor.generation) == (Method.EMAIL, 1)
    assert (factor.totp_secret, factor.last_step, factor.enable_time) == (None, None, None)
    assert (factor.backup_code_hash, factor.saved_time) == (None, None)
    await commit(database, states.turn_on, owner.account_id, generation=1)
    assert (await read(database, owner)).generation == 2


@pytest.mark.parametrize(("last_step", "expected"), [(99, 100), (101, 101), (None, 100)])
async def test_an_earlier_authenticator_is_restored_as_it_was(
    database: Database, last_step: int | None, expected: int
) -> None:
    """With its failures, disabled if it was, the later of both last steps, and a code of the next generation."""
    owner = await states.account_with_authenticator(database)
    earlier = EarlierAuthenticator(b"earlier", last_step, NOON - HOUR, failures=100, disabled=True)
    await commit(
        database,
        second_factors.restore_authenticator,
        owner.account_id,
        generation=1,
        earlier=earlier,
        code_hash="$argon2id$2",
        now=NOON,
    )
    factor = await read(database, owner)
    assert (factor.method, factor.totp_secret, factor.last_step) == (Method.AUTHENTICATOR, b"earlier", expected)
    assert (factor.enable_time, factor.authenticator) == (NOON - HOUR, Counter(100))
    assert factor.authenticator_disabled
    assert (factor.generation, factor.backup_code_hash, factor.saved_time) == (2, "$argon2id$2", None)


async def test_an_accepted_step_spends_earlier_ones_and_resets_the_counter(database: Database) -> None:
    owner = await states.account_with_authenticator(database)
    counter = Counter(7, NOON + MINUTE)
    await commit(database, second_factors.set_authenticator_counter, owner.account_id, counter, disabled=False)
    await commit(database, second_factors.accept_step, owner.account_id, 102)
    factor = await read(database, owner)
    assert (factor.last_step, factor.authenticator) == (102, Counter())
    for spent in (102, 101, 1):
        await expect_stale(database, second_factors.accept_step, owner.account_id, spent)
    assert (await read(database, owner)).last_step == 102


async def test_the_current_code_is_marked_saved_once(database: Database) -> None:
    owner = await states.account_with_authenticator(database)
    for generation, expected in ((0, False), (2, False), (1, True), (1, False)):
        saved = await commit(database, second_factors.mark_saved, owner.account_id, generation, NOON + HOUR)
        assert saved is expected
    assert (await read(database, owner)).saved_time == NOON + HOUR


async def test_each_method_has_its_own_counter(database: Database) -> None:
    owner = await states.account_with_authenticator(database)
    email_codes, authenticator = Counter(3), Counter(99, NOON)
    await commit(database, second_factors.set_email_code_counter, owner.account_id, email_codes)
    await commit(database, second_factors.set_authenticator_counter, owner.account_id, authenticator, disabled=True)
    factor = await read(database, owner)
    assert (factor.email_codes, factor.authenticator) == (email_codes, authenticator)
    assert factor.authenticator_disabled
    await commit(database, second_factors.set_email_code_counter, owner.account_id, Counter())
    factor = await read(database, owner)
    assert (factor.email_codes, factor.authenticator) == (Counter(), authenticator)


async def test_a_change_of_an_unknown_account_is_stale(database: Database) -> None:
    await expect_stale(database, second_factors.set_email_code_counter, uuid4(), Counter(1))
    await expect_stale(database, second_factors.set_authenticator_counter, uuid4(), Counter(1), disabled=False)
    await expect_stale(database, second_factors.accept_step, uuid4(), 1)
