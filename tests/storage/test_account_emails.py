"""Changes of the e-mail address: the former one is reserved, and can be restored once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from tests.storage import states
from tests.storage.databases import ask, commit, read
from tests.storage.states import HOUR, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.storage import account_emails, accounts
from twofactor_server.storage.database import Database, StaleState

WEEK = timedelta(days=7)


def address() -> str:
    return f"{uuid4().hex}@example.test"


async def change(database: Database, owner: Account, new: str, old: str = "", reserve: timedelta = WEEK) -> None:
    """Claim the new address and change to it."""
    async with database.transaction() as tx:
        assert await accounts.claim_email(tx, new, owner.account_id)
        await account_emails.change_address(
            tx, owner.account_id, old or owner.email, new, reserved_until=NOON + reserve, now=NOON
        )


async def restore(database: Database, owner: Account, email: str) -> bool:
    return await commit(
        database,
        account_emails.restore_address,
        owner.account_id,
        email,
        reserved_until=NOON + WEEK,
        now=NOON + HOUR,
    )


async def found(database: Database, email: str) -> Account | None:
    return await read(database, accounts.find_by_email, email)


async def test_an_account_is_found_by_its_new_address_and_reserves_the_former_one(database: Database) -> None:
    owner, new = await states.account(database), address()
    await change(database, owner, new)
    changed = await found(database, new)
    assert changed is not None
    assert (changed.account_id, changed.email, changed.email_verify_time) == (owner.account_id, new, NOON)
    assert await found(database, owner.email) is None
    assert await read(database, account_emails.find_owner, owner.email) == owner.account_id
    assert await read(database, account_emails.find_owner, address()) is None
    assert await commit(database, accounts.claim_email, owner.email, uuid4()) is False
    addresses = await read(database, account_emails.list_addresses, owner.account_id)
    assert addresses == sorted([owner.email, new])


async def test_a_change_from_another_accounts_address_is_refused(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    with pytest.raises(StaleState):
        await change(database, owner, address(), old=other.email)
    assert await found(database, owner.email) == owner


async def test_a_closed_account_does_not_change_its_address(database: Database) -> None:
    owner = await states.account(database)
    await commit(database, accounts.close, owner.account_id, NOON)
    with pytest.raises(StaleState):
        await change(database, owner, address())


async def test_a_former_address_is_free_when_its_reservation_ends(database: Database) -> None:
    owner = await states.account(database)
    await change(database, owner, address())
    for now, free in ((NOON + WEEK - HOUR, False), (NOON + WEEK, True)):
        await commit(database, account_emails.delete_expired_reservations, now)
        assert await commit(database, accounts.claim_email, owner.email, uuid4()) is free
    assert not await restore(database, owner, owner.email)


async def test_an_address_is_restored_once_and_the_later_ones_become_free(
    database: Database, database_url: str
) -> None:
    """Also those of changes made at the same time. What the account had left earlier stays reserved."""
    owner, earlier, first, second = await states.account(database), address(), address(), address()
    await change(database, owner, earlier, reserve=WEEK - HOUR)
    await change(database, owner, owner.email, old=earlier, reserve=WEEK - HOUR)
    await change(database, owner, first)
    await change(database, owner, second, old=first)
    assert [await restore(database, owner, owner.email) for _ in range(2)] == [True, False]
    restored = await found(database, owner.email)
    assert restored is not None
    assert (restored.account_id, restored.email_verify_time) == (owner.account_id, NOON + HOUR)
    addresses = await read(database, account_emails.list_addresses, owner.account_id)
    assert addresses == sorted([owner.email, earlier])
    statement = "SELECT reserved_until FROM account_emails WHERE email = $1"
    assert await ask(database_url, statement, owner.email) is None


async def test_another_accounts_address_is_not_restored(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    await change(database, owner, address())
    assert not await restore(database, other, owner.email)
    assert await found(database, other.email) == other
