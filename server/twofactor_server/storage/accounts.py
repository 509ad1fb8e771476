"""Accounts and what must be unique across them."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from twofactor_server.domain.accounts import Account
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import (
    account_creations,
    account_emails,
    accounts,
    identities,
    second_factors,
)
from twofactor_server.storage.second_factors import GuardMissed

_COLUMNS = (
    accounts.c.account_id,
    accounts.c.email,
    accounts.c.email_verify_time,
    accounts.c.create_time,
    accounts.c.password_hash,
    accounts.c.password_version,
    accounts.c.suspend_time,
    accounts.c.close_time,
    func.array(
        select(identities.c.provider)
        .distinct()
        .where(identities.c.account_id == accounts.c.account_id)
        .order_by(identities.c.provider)
        .scalar_subquery()
    ),
)
# A closed account is nobody's, whatever is asked for.
_BY_ID = select(*_COLUMNS).where(accounts.c.account_id == bindparam("id"), accounts.c.close_time.is_(None))
# An address that was the account's is still in ``account_emails``, but it is not the one by which it is found.
_BY_EMAIL = (
    select(*_COLUMNS)
    .join_from(account_emails, accounts, accounts.c.account_id == account_emails.c.account_id)
    .where(
        account_emails.c.email == bindparam("address"),
        accounts.c.email == account_emails.c.email,
        accounts.c.close_time.is_(None),
    )
)
_BY_CREATION = select(*_COLUMNS).join_from(
    account_creations, accounts, accounts.c.account_id == account_creations.c.account_id
).where(account_creations.c.request_id == bindparam("creation"))  # fmt: skip
_CREATION_FINGERPRINT = select(account_creations.c.code_fingerprint).where(
    account_creations.c.request_id == bindparam("creation")
)
_CLAIM_EMAIL = upsert(account_emails).on_conflict_do_nothing()
_CLAIM_BACK = (
    update(account_emails)
    .where(account_emails.c.email == bindparam("address"), account_emails.c.account_id == bindparam("id"))
    .values(reserved_until=None)
)
_CLAIM_CREATION = upsert(account_creations).on_conflict_do_nothing()
_VERIFY_EMAIL = (
    update(accounts)
    .where(
        accounts.c.account_id == bindparam("id"),
        accounts.c.email == bindparam("address"),
        accounts.c.email_verify_time.is_(None),
    )
    .values(email_verify_time=bindparam("now"))
)
_SET_PASSWORD = (
    update(accounts)
    .where(
        accounts.c.account_id == bindparam("id"),
        accounts.c.password_version == bindparam("version"),
        accounts.c.close_time.is_(None),
    )
    .values(password_hash=bindparam("new_hash"), password_version=accounts.c.password_version + 1)
)
_REHASH_PASSWORD = (
    update(accounts)
    .where(
        accounts.c.account_id == bindparam("id"),
        accounts.c.password_version == bindparam("version"),
        accounts.c.password_hash == bindparam("old_hash"),
    )
    .values(password_hash=bindparam("new_hash"))
)
_LIFT_SUSPENSION = update(accounts).where(accounts.c.account_id == bindparam("id")).values(suspend_time=None)
_SUSPEND = (
    update(accounts)
    .where(accounts.c.account_id == bindparam("id"), accounts.c.suspend_time.is_(None), accounts.c.close_time.is_(None))
    .values(suspend_time=bindparam("now"))
)


async def by_id(tx: Transaction, account_id: UUID) -> Account | None:
    """The account, or None; a closed one is as good as none."""
    row = (await tx.execute(_BY_ID, {"id": account_id})).one_or_none()
    return _record(row) if row else None


async def by_email(tx: Transaction, email: str) -> Account | None:
    """The account whose (normalised) address this is now, or None."""
    row = (await tx.execute(_BY_EMAIL, {"address": email})).one_or_none()
    return _record(row) if row else None


async def by_creation(tx: Transaction, request_id: UUID) -> Account | None:
    """The account that this request_id created, or None; it may have been closed since."""
    row = (await tx.execute(_BY_CREATION, {"creation": request_id})).one_or_none()
    return _record(row) if row else None


async def claim_email(tx: Transaction, email: str, account_id: UUID) -> bool:
    """Give the address to the account; False if it belongs to another, or is kept for it. Of several at once, one gets
    it."""
    # Another account's row is never waited for with a lock: two accounts that swap addresses would wait for each other.
    if (await tx.execute(_CLAIM_EMAIL, {"email": email, "account_id": account_id})).rowcount == 1:
        return True
    return (await tx.execute(_CLAIM_BACK, {"address": email, "id": account_id})).rowcount == 1


async def claim_creation(tx: Transaction, request_id: UUID, account_id: UUID, fingerprint: bytes | None = None) -> bool:
    """Record that the request_id created the account; False if it created another before. ``fingerprint`` recognises
    the authorization code of an account made by an identity."""
    values = {"request_id": request_id, "account_id": account_id, "code_fingerprint": fingerprint}
    return (await tx.execute(_CLAIM_CREATION, values)).rowcount == 1


async def creation_fingerprint(tx: Transaction, request_id: UUID) -> bytes | None:
    """What ``claim_creation`` recorded; None for an account made by an address."""
    found: bytes | None = await tx.scalar(_CREATION_FINGERPRINT, {"creation": request_id})
    return found


async def create(tx: Transaction, account: Account) -> None:
    """Write the account and its second factor: e-mail codes, generation 0. Its address must be claimed before."""
    await tx.execute(
        insert(accounts),
        {
            "account_id": account.account_id,
            "email": account.email,
            "email_verify_time": account.email_verify_time,
            "create_time": account.create_time,
            "password_hash": account.password_hash,
            "password_version": account.password_version,
        },
    )
    await tx.execute(insert(second_factors), {"account_id": account.account_id, "method": "email", "generation": 0})


async def mark_email_verified(tx: Transaction, account_id: UUID, email: str, now: datetime) -> None:
    """The address is proved, if it still is the account's and was not proved before."""
    await tx.execute(_VERIFY_EMAIL, {"id": account_id, "address": email, "now": now})


async def set_password(tx: Transaction, account_id: UUID, password_hash: str, expected_version: int) -> None:
    """The password is another one from now on, its version one higher. Under the second factor's lock; a version other
    than the one seen under it, or a closed account, raises GuardMissed."""
    values = {"id": account_id, "version": expected_version, "new_hash": password_hash}
    if (await tx.execute(_SET_PASSWORD, values)).rowcount != 1:
        raise GuardMissed


async def rehash_password(tx: Transaction, account: Account, password_hash: str) -> bool:
    """Another hash of the same password, for the account as it was seen; False, and nothing written, if its password
    has been changed or hashed again since. The version stays, so nothing is void by it."""
    values = {
        "id": account.account_id,
        "version": account.password_version,
        "old_hash": account.password_hash,
        "new_hash": password_hash,
    }
    return (await tx.execute(_REHASH_PASSWORD, values)).rowcount == 1


async def lift_suspension(tx: Transaction, account_id: UUID) -> None:
    """A right first factor begins a sign-in again; one that is not suspended stays as it is."""
    await tx.execute(_LIFT_SUSPENSION, {"id": account_id})


async def suspend(tx: Transaction, account_id: UUID, now: datetime) -> bool:
    """Suspend the first factor; False if it is suspended already, or the account closed."""
    return (await tx.execute(_SUSPEND, {"id": account_id, "now": now})).rowcount == 1


def _record(row: Row[*tuple[Any, ...]]) -> Account:
    return replace(Account(*row), linked_providers=tuple(row[-1]))
