"""Changes of an account's e-mail address. Under the second factor's lock.

An address that an account leaves stays reserved for it, so that its owner can revert the change from that mailbox and
no other account can claim it meanwhile.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, or_, select, update

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import account_emails, accounts
from twofactor_server.storage.statements import Statement, param

_t = account_emails.c
_this = (_t.email == param("email"), _t.account_id == param("account_id"))
_FIND_OWNER = Statement(select(_t.account_id).where(_t.email == param("email")))
_LIST = Statement(select(_t.email).where(_t.account_id == param("account_id")).order_by(_t.email))
_RESERVE = Statement(update(account_emails).where(*_this).values(reserved_until=param("reserved_until")))
_UNRESERVE = Statement(update(account_emails).where(*_this, _t.reserved_until.is_not(None)).values(reserved_until=None))
_DELETE_LATER = Statement(
    delete(account_emails).where(
        _t.account_id == param("account_id"),
        _t.email != param("email"),
        or_(_t.reserved_until.is_(None), _t.reserved_until >= param("reserved_until")),
    )
)
_SET = Statement(
    update(accounts)
    .where(accounts.c.account_id == param("account_id"), accounts.c.close_time.is_(None))
    .values(email=param("email"), email_verify_time=param("email_verify_time"))
)
_DELETE_EXPIRED = Statement(delete(account_emails).where(_t.reserved_until <= param("now")))


async def find_owner(tx: Transaction, email: str) -> UUID | None:
    """The account that has or reserves the address; None if the address is free."""
    account_id: UUID | None = await tx.fetch_value(_FIND_OWNER, email=email)
    return account_id


async def list_addresses(tx: Transaction, account_id: UUID) -> list[str]:
    """The account's address and the ones that it reserves."""
    return [email for (email,) in await tx.fetch_all(_LIST, account_id=account_id)]


async def change_address(
    tx: Transaction, account_id: UUID, old: str, new: str, *, reserved_until: datetime, now: datetime
) -> None:
    """Make ``new``, which the account has claimed, its verified address, and reserve ``old`` for it.

    If ``old`` is not the account's, or the account is closed: StaleState.
    """
    await _set(tx, account_id, new, now)
    await tx.execute_one(_RESERVE, account_id=account_id, email=old, reserved_until=reserved_until)


async def restore_address(
    tx: Transaction, account_id: UUID, email: str, *, reserved_until: datetime, now: datetime
) -> bool:
    """Make the address that was reserved until ``reserved_until`` the account's again.

    Frees the current address and every one that was reserved as long or longer, which are those that came later. False
    if the address is not reserved for the account any more.
    """
    if await tx.execute(_UNRESERVE, account_id=account_id, email=email) != 1:
        return False
    await tx.execute(_DELETE_LATER, account_id=account_id, email=email, reserved_until=reserved_until)
    await _set(tx, account_id, email, now)
    return True


async def delete_expired_reservations(tx: Transaction, now: datetime) -> None:
    """Free the addresses whose reservation has ended."""
    await tx.execute(_DELETE_EXPIRED, now=now)


async def _set(tx: Transaction, account_id: UUID, email: str, now: datetime) -> None:
    await tx.execute_one(_SET, account_id=account_id, email=email, email_verify_time=now)
