"""Everybody out, and the end of an account."""

from uuid import uuid4

import pytest
from sqlalchemy import insert

from tests.storage import states
from tests.storage.databases import ask, rows
from tests.storage.states import HOUR, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.mailed_links import MailedLink, Purpose
from twofactor_server.storage import (
    accounts,
    closing,
    mailed_links,
    outbox,
    sessions,
)
from twofactor_server.storage.database import Database, Transaction
from twofactor_server.storage.schema import identities, identity_owners
from twofactor_server.storage.second_factors import GuardMissed


async def identity(tx: Transaction, owner: Account, subject: str) -> None:
    """A linked identity."""
    ids = {"issuer": "https://idp.example", "subject": subject, "account_id": owner.account_id}
    await tx.execute(
        insert(identities), ids | {"identity_id": uuid4(), "provider": "google", "email": "", "link_time": NOON}
    )
    await tx.execute(insert(identity_owners), ids)


async def link(database: Database, owner: Account) -> MailedLink:
    """An unused link."""
    record = MailedLink(owner.account_id, uuid4(), Purpose.CONFIRM_EMAIL, {}, None, NOON, NOON + HOUR, None, None, None)
    await database.transact(lambda tx: mailed_links.create(tx, record, record.link_id.bytes))
    return record


async def test_mails_of_a_kind_that_wait_are_not_sent(database: Database, database_url: str) -> None:
    owner, other = await states.account(database), await states.account(database)
    mails = [states.mail(owner), states.mail(other)]
    for mail in mails:
        await database.transact(lambda tx, mail=mail: outbox.add(tx, mail))  # type: ignore[misc]
    await database.transact(lambda tx: outbox.erase_waiting(tx, owner.account_id, "another-kind"))
    statement = "SELECT payload IS NULL FROM outbox WHERE message_id = $1"
    assert await ask(database_url, statement, mails[0].message_id) is False
    await database.transact(lambda tx: outbox.erase_waiting(tx, owner.account_id, "sign-in-code"))
    assert [await ask(database_url, statement, mail.message_id) for mail in mails] == [True, False]


async def test_a_closed_account_is_nobodys_and_leaves_what_was_its_own(database: Database, database_url: str) -> None:
    owner, other = await states.account(database), await states.account(database)
    for account in (owner, other):
        await database.transact(lambda tx, a=account: identity(tx, a, a.email))  # type: ignore[misc]
        await link(database, account)
    await database.transact(lambda tx: closing.close(tx, owner.account_id, NOON))
    assert await database.read(lambda tx: accounts.by_id(tx, owner.account_id)) is None
    assert await database.read(lambda tx: accounts.by_email(tx, owner.email)) is None
    (row,) = await rows(
        database_url,
        "SELECT close_time, password_hash, password_version FROM accounts WHERE account_id = $1",
        owner.account_id,
    )
    assert row == (NOON, None, owner.password_version + 1)
    for table in ("identities", "identity_owners", "account_emails", "mailed_links"):
        statement = f"SELECT count(*) FROM {table} WHERE account_id = $1"  # noqa: S608 - our tables
        assert [await ask(database_url, statement, one.account_id) for one in (owner, other)] == [0, 1], table
    assert await database.transact(lambda tx: accounts.claim_email(tx, owner.email, uuid4()))
    with pytest.raises(GuardMissed):
        await database.transact(lambda tx: closing.close(tx, owner.account_id, NOON + HOUR))


async def test_a_closed_account_is_not_suspended_and_gets_no_password(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    assert await database.transact(lambda tx: accounts.suspend(tx, owner.account_id, NOON)) is True
    assert await database.transact(lambda tx: accounts.suspend(tx, owner.account_id, NOON)) is False
    await database.transact(lambda tx: accounts.set_password(tx, owner.account_id, "$argon2id$2", 1))
    await database.transact(lambda tx: accounts.lift_suspension(tx, owner.account_id))
    account = await database.read(lambda tx: accounts.by_id(tx, owner.account_id))
    assert account is not None
    assert (account.password_hash, account.password_version, account.suspend_time) == ("$argon2id$2", 2, None)
    await database.transact(lambda tx: closing.close(tx, owner.account_id, NOON))
    assert await database.transact(lambda tx: accounts.suspend(tx, owner.account_id, NOON)) is False
    with pytest.raises(GuardMissed):
        await database.transact(lambda tx: accounts.set_password(tx, owner.account_id, "$argon2id$3", 3))
    statement = "SELECT count(*) FROM accounts WHERE account_id = $1 AND password_hash IS NULL AND suspend_time IS NULL"
    assert await ask(database_url, statement, owner.account_id) == 1


async def test_only_a_session_that_ended_with_it_says_so(database: Database) -> None:
    owner = await states.account(database)
    earlier = await states.session(database, owner, digest=b"earlier")
    await states.session(database, owner, digest=b"last")
    await database.transact(lambda tx: sessions.end(tx, earlier, NOON))

    async def said(digest: bytes) -> bool:
        return await database.read(lambda tx: closing.ended_with_it(tx, owner.account_id, digest))

    assert not await said(b"last")
    await database.transact(lambda tx: sessions.end_others(tx, owner.account_id, None, NOON + HOUR))
    await database.transact(lambda tx: closing.close(tx, owner.account_id, NOON + HOUR))
    assert [await said(digest) for digest in (b"last", b"earlier", b"unknown")] == [True, False, False]
