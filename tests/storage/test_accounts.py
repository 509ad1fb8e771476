"""Accounts, and what must be unique across them."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from tests.storage import states
from tests.storage.databases import ask, commit, read, rows
from tests.storage.states import HOUR, MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.identities import LinkedIdentity
from twofactor_server.domain.second_factors import Counter, Method
from twofactor_server.storage import accounts, identities, mailed_links, second_factors
from twofactor_server.storage.database import Database, StaleState


async def stored(database: Database, owner: Account) -> Account:
    found = await read(database, accounts.find, owner.account_id)
    assert found is not None
    return found


async def test_an_account_is_found_by_id_address_and_request_id(database: Database) -> None:
    owner = await states.account(database)
    request_id = uuid4()
    await commit(database, accounts.claim_creation, request_id, owner.account_id)
    assert await read(database, accounts.find, owner.account_id) == owner
    assert await read(database, accounts.find_by_email, owner.email) == owner
    assert await read(database, accounts.find_by_request_id, request_id) == owner
    assert await read(database, accounts.find, uuid4()) is None
    assert await read(database, accounts.find_by_email, "unknown@example.test") is None
    assert await read(database, accounts.find_by_request_id, uuid4()) is None


async def test_a_new_account_is_on_email_codes_with_generation_0(database: Database) -> None:
    owner = await states.account(database)
    factor = await read(database, second_factors.read, owner.account_id)
    assert factor is not None
    assert (factor.method, factor.generation) == (Method.EMAIL, 0)
    assert (factor.totp_secret, factor.backup_code_hash) == (None, None)
    assert (factor.email_codes, factor.authenticator) == (Counter(), Counter())


async def test_one_of_several_concurrent_claims_of_an_address_succeeds(database: Database) -> None:
    """Each waits for the commit of the one before it."""
    email = f"{uuid4().hex}@example.test"
    claims = (commit(database, accounts.claim_email, email, uuid4()) for _ in range(8))
    assert sorted(await asyncio.gather(*claims)) == [False] * 7 + [True]
    assert await commit(database, accounts.claim_email, email, uuid4()) is False


async def test_one_of_several_concurrent_creations_with_one_request_id_succeeds(database: Database) -> None:
    request_id = uuid4()
    claims = (commit(database, accounts.claim_creation, request_id, uuid4()) for _ in range(8))
    assert sorted(await asyncio.gather(*claims)) == [False] * 7 + [True]


async def test_a_creation_records_the_fingerprint_of_its_authorization_code(database: Database) -> None:
    owner = await states.account(database)
    for fingerprint in (b"fingerprint", None):
        request_id = uuid4()
        await commit(database, accounts.claim_creation, request_id, owner.account_id, fingerprint)
        assert await read(database, accounts.find_creation_fingerprint, request_id) == fingerprint
    assert await read(database, accounts.find_creation_fingerprint, uuid4()) is None


async def test_an_address_is_verified_once_while_it_is_the_accounts(database: Database) -> None:
    owner = await states.account(database)
    for email, now, expected in (
        ("former@example.test", NOON, None),
        (owner.email, NOON + HOUR, NOON + HOUR),
        (owner.email, NOON + 2 * HOUR, NOON + HOUR),
    ):
        await commit(database, accounts.mark_email_verified, owner.account_id, email, now)
        assert (await stored(database, owner)).email_verify_time == expected


async def test_a_password_is_set_at_the_expected_version_only(database: Database) -> None:
    owner = await states.account(database)
    await commit(database, accounts.set_password, owner.account_id, "new", 1)
    assert await stored(database, owner) == replace(owner, password_hash="new", password_version=2)
    with pytest.raises(StaleState):
        await commit(database, accounts.set_password, owner.account_id, "newer", 1)


async def test_a_rehash_keeps_the_version_and_does_not_overwrite_a_change(database: Database) -> None:
    owner = await states.account(database)
    assert await commit(database, accounts.rehash_password, owner, "again") is True
    assert await stored(database, owner) == replace(owner, password_hash="again")
    assert await commit(database, accounts.rehash_password, owner, "late") is False
    seen = await stored(database, owner)
    await commit(database, accounts.set_password, owner.account_id, "again", 1)
    assert await commit(database, accounts.rehash_password, seen, "late") is False
    assert (await stored(database, owner)).password_hash == "again"


async def test_an_account_is_suspended_once_until_the_suspension_is_lifted(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    for account in (owner, other):
        assert await commit(database, accounts.suspend, account.account_id, NOON) is True
    assert await commit(database, accounts.suspend, owner.account_id, NOON + MINUTE) is False
    assert (await stored(database, owner)).suspend_time == NOON
    for _ in range(2):
        await commit(database, accounts.lift_suspension, owner.account_id)
        assert (await stored(database, owner)).suspend_time is None
    assert (await stored(database, other)).suspend_time == NOON
    assert await commit(database, accounts.suspend, owner.account_id, NOON + HOUR) is True
    assert await commit(database, accounts.suspend, uuid4(), NOON) is False


async def test_a_closed_account_is_not_found_and_leaves_nothing_behind(database: Database, database_url: str) -> None:
    """Its addresses and identities can be claimed by another account. Other accounts keep theirs."""
    owner, other = await states.account(database), await states.account(database)
    for account in (owner, other):
        for _ in range(2):
            identity = LinkedIdentity(account.account_id, uuid4(), "google", "https://idp", uuid4().hex, "", NOON)
            assert await commit(database, identities.link, identity)
        link = states.link(account)
        await commit(database, mailed_links.create, link, link.link_id.bytes)
    await commit(database, accounts.close, owner.account_id, NOON)
    assert await read(database, accounts.find, owner.account_id) is None
    assert await read(database, accounts.find_by_email, owner.email) is None
    statement = "SELECT close_time, password_hash, password_version FROM accounts WHERE account_id = $1"
    assert await rows(database_url, statement, owner.account_id) == [(NOON, None, owner.password_version + 1)]
    for table, kept in (("identities", 2), ("identity_owners", 2), ("account_emails", 1), ("mailed_links", 1)):
        statement = f"SELECT count(*) FROM {table} WHERE account_id = $1"  # noqa: S608 - our tables
        assert [await ask(database_url, statement, one.account_id) for one in (owner, other)] == [0, kept], table
    assert await commit(database, accounts.claim_email, owner.email, uuid4())


async def test_a_closed_account_is_found_by_the_request_id_that_created_it(database: Database) -> None:
    owner = await states.account(database)
    request_id = uuid4()
    await commit(database, accounts.claim_creation, request_id, owner.account_id)
    await commit(database, accounts.close, owner.account_id, NOON)
    closed = await read(database, accounts.find_by_request_id, request_id)
    assert closed is not None
    assert (closed.account_id, closed.close_time) == (owner.account_id, NOON)


async def test_a_closed_account_is_not_changed_any_more(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    await commit(database, accounts.suspend, owner.account_id, NOON)
    await commit(database, accounts.close, owner.account_id, NOON)
    assert await commit(database, accounts.suspend, owner.account_id, NOON) is False
    with pytest.raises(StaleState):
        await commit(database, accounts.set_password, owner.account_id, "$argon2id$3", 2)
    with pytest.raises(StaleState):
        await commit(database, accounts.close, owner.account_id, NOON + timedelta(hours=1))
    statement = "SELECT close_time, password_hash, suspend_time FROM accounts WHERE account_id = $1"
    assert await rows(database_url, statement, owner.account_id) == [(NOON, None, None)]
