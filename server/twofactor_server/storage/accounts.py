"""Accounts, and the look-up tables of what must be unique across them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, select, update

from twofactor_server.domain.accounts import Account
from twofactor_server.domain.second_factors import Method
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import (
    account_creations,
    account_emails,
    accounts,
    identities,
    identity_owners,
    mailed_links,
    second_factors,
)
from twofactor_server.storage.statements import Statement, insert_row, param, values_of

_t = accounts.c
_COLUMNS = (
    _t.account_id,
    _t.email,
    _t.email_verify_time,
    _t.create_time,
    _t.password_hash,
    _t.password_version,
    _t.suspend_time,
    _t.close_time,
    func.array(
        select(identities.c.provider)
        .distinct()
        .where(identities.c.account_id == _t.account_id)
        .order_by(identities.c.provider)
        .scalar_subquery()
    ),
)
_this = _t.account_id == param("account_id")
_not_closed = _t.close_time.is_(None)

_FIND = Statement(select(*_COLUMNS).where(_this, _not_closed))
# ``account_emails`` also has the addresses that an account has left; it is not found by those.
_FIND_BY_EMAIL = Statement(
    select(*_COLUMNS)
    .join_from(account_emails, accounts, _t.account_id == account_emails.c.account_id)
    .where(account_emails.c.email == param("email"), _t.email == account_emails.c.email, _not_closed)
)
_FIND_BY_REQUEST_ID = Statement(
    select(*_COLUMNS)
    .join_from(account_creations, accounts, _t.account_id == account_creations.c.account_id)
    .where(account_creations.c.request_id == param("request_id"))
)
_FIND_CREATION_FINGERPRINT = Statement(
    select(account_creations.c.code_fingerprint).where(account_creations.c.request_id == param("request_id"))
)
_CLAIM_EMAIL = Statement(insert_row(account_emails, omit=("reserved_until",)).on_conflict_do_nothing())
_RECLAIM_EMAIL = Statement(
    update(account_emails)
    .where(account_emails.c.email == param("email"), account_emails.c.account_id == param("account_id"))
    .values(reserved_until=None)
)
_CLAIM_CREATION = Statement(insert_row(account_creations).on_conflict_do_nothing())
_INSERT = Statement(insert_row(accounts, omit=("suspend_time", "close_time")))
_INSERT_SECOND_FACTOR = Statement(
    second_factors.insert().values(account_id=param("account_id"), method=Method.EMAIL, generation=0).inline()
)
_MARK_EMAIL_VERIFIED = Statement(
    update(accounts)
    .where(_this, _t.email == param("email"), _t.email_verify_time.is_(None))
    .values(email_verify_time=param("email_verify_time"))
)
_SET_PASSWORD = Statement(
    update(accounts)
    .where(_this, _t.password_version == param("expected_version"), _not_closed)
    .values(password_hash=param("password_hash"), password_version=_t.password_version + 1)
)
_REHASH_PASSWORD = Statement(
    update(accounts)
    .where(_this, _t.password_version == param("password_version"), _t.password_hash == param("password_hash"))
    .values(password_hash=param("new_hash"))
)
_LIFT_SUSPENSION = Statement(update(accounts).where(_this).values(suspend_time=None))
_SUSPEND = Statement(
    update(accounts).where(_this, _t.suspend_time.is_(None), _not_closed).values(suspend_time=param("suspend_time"))
)
_CLOSE = Statement(
    update(accounts)
    .where(_this, _not_closed)
    .values(
        close_time=param("close_time"),
        password_hash=None,
        # A password that was verified before the account was closed no longer counts.
        password_version=_t.password_version + 1,
        suspend_time=None,
    )
)


def unlink_statement(*conditions: ColumnElement[bool]) -> Statement:
    """Deletes the account's identities that meet the conditions, and its claim to each."""
    unlinked = (
        delete(identities)
        .where(identities.c.account_id == param("account_id"), *conditions)
        .returning(identities.c.issuer, identities.c.subject)
        .cte("unlinked")
    )
    return Statement(
        delete(identity_owners).where(
            identity_owners.c.issuer == unlinked.c.issuer,
            identity_owners.c.subject == unlinked.c.subject,
            identity_owners.c.account_id == param("account_id"),
        )
    )


_UNLINK_IDENTITIES = unlink_statement()
_DELETE_EMAILS = Statement(delete(account_emails).where(account_emails.c.account_id == param("account_id")))
_DELETE_LINKS = Statement(delete(mailed_links).where(mailed_links.c.account_id == param("account_id")))


async def find(tx: Transaction, account_id: UUID) -> Account | None:
    """The account; None if it does not exist or is closed."""
    return _record(await tx.fetch_row(_FIND, account_id=account_id))


async def find_by_email(tx: Transaction, email: str) -> Account | None:
    """The account with this (normalised) address; None if not found, or if the account has left the address."""
    return _record(await tx.fetch_row(_FIND_BY_EMAIL, email=email))


async def find_by_request_id(tx: Transaction, request_id: UUID) -> Account | None:
    """The account that this request_id created, even if it was closed since; None if it created none."""
    return _record(await tx.fetch_row(_FIND_BY_REQUEST_ID, request_id=request_id))


async def find_creation_fingerprint(tx: Transaction, request_id: UUID) -> bytes | None:
    """The fingerprint that ``claim_creation`` recorded; None for an account that was created with an address."""
    fingerprint: bytes | None = await tx.fetch_value(_FIND_CREATION_FINGERPRINT, request_id=request_id)
    return fingerprint


async def claim_email(tx: Transaction, email: str, account_id: UUID) -> bool:
    """Give the address to the account; False if another account has it or reserves it.

    At most one of several concurrent calls succeeds.
    """
    # Do not lock another account's row: two accounts that exchange addresses would wait for each other.
    if await tx.execute(_CLAIM_EMAIL, email=email, account_id=account_id) == 1:
        return True
    return await tx.execute(_RECLAIM_EMAIL, email=email, account_id=account_id) == 1


async def claim_creation(tx: Transaction, request_id: UUID, account_id: UUID, fingerprint: bytes | None = None) -> bool:
    """Record that the request_id created the account; False if it already created one.

    ``fingerprint`` is that of the authorization code, for an account that was created with an identity.
    """
    values = {"request_id": request_id, "account_id": account_id, "code_fingerprint": fingerprint}
    return await tx.execute(_CLAIM_CREATION, **values) == 1


async def create(tx: Transaction, account: Account) -> None:
    """Write the account and its second factor: e-mail codes, generation 0. The address must have been claimed."""
    await tx.execute(_INSERT, **values_of(account))
    await tx.execute(_INSERT_SECOND_FACTOR, account_id=account.account_id)


async def mark_email_verified(tx: Transaction, account_id: UUID, email: str, now: datetime) -> None:
    """Record that the owner proved the address, unless it was proved before or is not the account's any more."""
    await tx.execute(_MARK_EMAIL_VERIFIED, account_id=account_id, email=email, email_verify_time=now)


async def set_password(tx: Transaction, account_id: UUID, password_hash: str, expected_version: int) -> None:
    """Set a new password and increment its version. Under the second factor's lock.

    Another version than the one seen under the lock, or a closed account: StaleState.
    """
    values = {"account_id": account_id, "password_hash": password_hash, "expected_version": expected_version}
    await tx.execute_one(_SET_PASSWORD, **values)


async def rehash_password(tx: Transaction, account: Account, new_hash: str) -> bool:
    """Replace the hash by another one of the same password. The version stays, so nothing becomes void.

    False, with nothing written, if the password was changed or hashed again since ``account`` was read.
    """
    return await tx.execute(_REHASH_PASSWORD, **values_of(account), new_hash=new_hash) == 1


async def lift_suspension(tx: Transaction, account_id: UUID) -> None:
    """Let the first factor start sign-ins again. No effect on an account that is not suspended."""
    await tx.execute(_LIFT_SUSPENSION, account_id=account_id)


async def suspend(tx: Transaction, account_id: UUID, now: datetime) -> bool:
    """Suspend the first factor; False if it is suspended already, or the account is closed."""
    return await tx.execute(_SUSPEND, account_id=account_id, suspend_time=now) == 1


async def close(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """Close the account and delete its password, identities, addresses and links. Under the second factor's lock.

    Another account may claim the addresses and identities from now on. A closed account: StaleState.
    """
    await tx.execute_one(_CLOSE, account_id=account_id, close_time=now)
    for statement in (_UNLINK_IDENTITIES, _DELETE_EMAILS, _DELETE_LINKS):
        await tx.execute(statement, account_id=account_id)


def _record(row: Any) -> Account | None:
    if row is None:
        return None
    *values, linked_providers = row
    return Account(*[*values, tuple(linked_providers)])
