"""Addresses that change hands. All of it under the second factor's lock.

An address that an account leaves stays reserved for it, so that whoever reads that mailbox can undo the change, and
nobody else can have it meanwhile.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, or_, select, update

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import account_emails, accounts
from twofactor_server.storage.second_factors import GuardMissed

_t = account_emails.c
_OWNER = select(_t.account_id).where(_t.email == bindparam("address"))
_THIS = (_t.email == bindparam("address"), _t.account_id == bindparam("id"))
_OF_ACCOUNT = select(_t.email).where(_t.account_id == bindparam("id")).order_by(_t.email)
_RESERVE = update(account_emails).where(*_THIS).values(reserved_until=bindparam("until"))
_TAKE_BACK = update(account_emails).where(*_THIS, _t.reserved_until.is_not(None)).values(reserved_until=None)
_FREE_LATER = delete(account_emails).where(
    _t.account_id == bindparam("id"),
    _t.email != bindparam("address"),
    or_(_t.reserved_until.is_(None), _t.reserved_until >= bindparam("until")),
)
_SET = (
    update(accounts)
    .where(accounts.c.account_id == bindparam("id"), accounts.c.close_time.is_(None))
    .values(email=bindparam("address"), email_verify_time=bindparam("now"))
)
_EXPIRE = delete(account_emails).where(_t.reserved_until <= bindparam("now"))


async def owner(tx: Transaction, email: str) -> UUID | None:
    """The account that has the address, or for which it is kept; None if it is free."""
    found: UUID | None = await tx.scalar(_OWNER, {"address": email})
    return found


async def of_account(tx: Transaction, account_id: UUID) -> list[str]:
    """The account's address, and those that are kept for it."""
    return list((await tx.execute(_OF_ACCOUNT, {"id": account_id})).scalars())


async def change(
    tx: Transaction, account_id: UUID, old: str, new: str, *, reserved_until: datetime, now: datetime
) -> None:
    """The account's address is ``new``, which it has claimed, and proved now; ``old`` is kept for it."""
    await _set(tx, account_id, new, now)
    reserved = await tx.execute(_RESERVE, {"id": account_id, "address": old, "until": reserved_until})
    if reserved.rowcount != 1:
        raise GuardMissed


async def take_back(tx: Transaction, account_id: UUID, email: str, *, reserved_until: datetime, now: datetime) -> bool:
    """The account's address is again the one it left when that was reserved until then; False if it is not kept for
    it any more, or is its address. Every address that came after it is free."""
    if (await tx.execute(_TAKE_BACK, {"id": account_id, "address": email})).rowcount != 1:
        return False
    await tx.execute(_FREE_LATER, {"id": account_id, "address": email, "until": reserved_until})
    await _set(tx, account_id, email, now)
    return True


async def expire(tx: Transaction, now: datetime) -> None:
    """Free the addresses that nobody took back in time."""
    await tx.execute(_EXPIRE, {"now": now})


async def _set(tx: Transaction, account_id: UUID, email: str, now: datetime) -> None:
    if (await tx.execute(_SET, {"id": account_id, "address": email, "now": now})).rowcount != 1:
        raise GuardMissed
