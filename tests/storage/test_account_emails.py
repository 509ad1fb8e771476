"""Addresses that change hands: found by the current one, kept for whoever left it, taken back once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.storage import states
from tests.storage.databases import ask
from tests.storage.states import HOUR, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.storage import account_emails, accounts
from twofactor_server.storage.database import Database, Transaction
from twofactor_server.storage.second_factors import GuardMissed

WEEK = timedelta(days=7)


def address() -> str:
    return f"{uuid4().hex}@example.test"


async def moved(database: Database, owner: Account, new: str, old: str = "", until: timedelta = WEEK) -> None:
    """The account leaves its address for another."""

    async def work(tx: Transaction) -> None:
        assert await accounts.claim_email(tx, new, owner.account_id)
        await account_emails.change(
            tx, owner.account_id, old or owner.email, new, reserved_until=NOON + until, now=NOON
        )

    await database.transact(work)


async def taken_back(database: Database, owner: Account, until: timedelta = WEEK) -> bool:
    return await database.transact(
        lambda tx: account_emails.take_back(
            tx, owner.account_id, owner.email, reserved_until=NOON + until, now=NOON + HOUR
        )
    )


async def found(database: Database, email: str) -> Account | None:
    return await database.read(lambda tx: accounts.by_email(tx, email))


async def test_the_account_is_found_by_the_new_address_and_the_old_one_is_kept(database: Database) -> None:
    owner, new = await states.account(database), address()
    await moved(database, owner, new)
    changed = await found(database, new)
    assert changed is not None
    assert (changed.account_id, changed.email, changed.email_verify_time) == (owner.account_id, new, NOON)
    assert await found(database, owner.email) is None
    assert await database.read(lambda tx: account_emails.owner(tx, owner.email)) == owner.account_id
    assert await database.read(lambda tx: account_emails.owner(tx, address())) is None
    assert await database.transact(lambda tx: accounts.claim_email(tx, owner.email, uuid4())) is False
    assert await database.transact(lambda tx: account_emails.of_account(tx, owner.account_id)) == sorted(
        [owner.email, new]
    )


async def test_an_address_that_is_not_the_accounts_cannot_be_left(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    with pytest.raises(GuardMissed):
        await moved(database, owner, address(), old=other.email)
    assert await found(database, owner.email) == owner


async def test_an_address_is_free_when_its_time_is_over(database: Database) -> None:
    owner = await states.account(database)
    await moved(database, owner, address())
    for moment, free in ((NOON + WEEK - HOUR, False), (NOON + WEEK, True)):
        await database.transact(lambda tx, moment=moment: account_emails.expire(tx, moment))  # type: ignore[misc]
        claimed = await database.transact(lambda tx: accounts.claim_email(tx, owner.email, uuid4()))
        assert claimed is free
    assert not await taken_back(database, owner)


async def test_it_is_taken_back_once_and_frees_what_came_after(database: Database, database_url: str) -> None:
    """Also of changes made at the same instant. What the account had left before is still kept."""
    owner, first, second = await states.account(database), address(), address()
    earlier = address()
    await moved(database, owner, earlier, until=WEEK - HOUR)
    await moved(database, owner, owner.email, old=earlier, until=WEEK - HOUR)
    await moved(database, owner, first)
    await moved(database, owner, second, old=first)
    assert await taken_back(database, owner)
    assert not await taken_back(database, owner)
    back = await found(database, owner.email)
    assert back is not None
    assert (back.account_id, back.email_verify_time) == (owner.account_id, NOON + HOUR)
    kept = await database.read(lambda tx: account_emails.of_account(tx, owner.account_id))
    assert kept == sorted([owner.email, earlier])
    statement = "SELECT reserved_until FROM account_emails WHERE email = $1"
    assert await ask(database_url, statement, owner.email) is None


async def test_another_accounts_address_is_not_taken_back(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    await moved(database, owner, address())
    stolen = await database.transact(
        lambda tx: account_emails.take_back(tx, other.account_id, owner.email, reserved_until=NOON + WEEK, now=NOON)
    )
    assert not stolen
    assert await found(database, other.email) == other
