"""Identities at providers that are linked to accounts. Changes are made under the second factor's lock."""

from uuid import UUID

from sqlalchemy import select

from twofactor_server.domain.accounts import Account
from twofactor_server.domain.identities import LinkedIdentity
from twofactor_server.storage import accounts
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import identities, identity_owners
from twofactor_server.storage.statements import Statement, insert_row, param, values_of

_t = identities.c
_o = identity_owners.c
_of_account = select(_t.account_id, _t.identity_id, _t.provider, _t.issuer, _t.subject, _t.email, _t.link_time).where(
    _t.account_id == param("account_id")
)
_LIST = Statement(_of_account.order_by(_t.link_time, _t.identity_id))
_FIND = Statement(_of_account.where(_t.issuer == param("issuer"), _t.subject == param("subject")))
_FIND_OWNER = Statement(select(_o.account_id).where(_o.issuer == param("issuer"), _o.subject == param("subject")))
_CLAIM = Statement(insert_row(identity_owners).on_conflict_do_nothing())
_INSERT = Statement(insert_row(identities))
_UNLINK = accounts.unlink_statement(_t.identity_id == param("identity_id"))
_UNLINK_ALL = accounts.unlink_statement()


async def find_account(tx: Transaction, issuer: str, subject: str) -> Account | None:
    """The account that the identity is linked to; None if not found."""
    account_id = await tx.fetch_value(_FIND_OWNER, issuer=issuer, subject=subject)
    return await accounts.find(tx, account_id) if account_id else None


async def find(tx: Transaction, account_id: UUID, issuer: str, subject: str) -> LinkedIdentity | None:
    """The account's link to this identity; None if not found."""
    row = await tx.fetch_row(_FIND, account_id=account_id, issuer=issuer, subject=subject)
    return LinkedIdentity(*row) if row else None


async def list_identities(tx: Transaction, account_id: UUID) -> list[LinkedIdentity]:
    """The account's identities, oldest link first."""
    return [LinkedIdentity(*row) for row in await tx.fetch_all(_LIST, account_id=account_id)]


async def link(tx: Transaction, linked: LinkedIdentity) -> bool:
    """Link the identity to the account; False if it is linked to any account already.

    At most one of several concurrent calls succeeds.
    """
    if await tx.execute(_CLAIM, **values_of(linked)) != 1:
        return False
    await tx.execute(_INSERT, **values_of(linked))
    return True


async def unlink(tx: Transaction, account_id: UUID, identity_id: UUID) -> bool:
    """Unlink the identity, which any account may link afterwards; False if it is not linked to this account."""
    return await tx.execute(_UNLINK, account_id=account_id, identity_id=identity_id) == 1


async def unlink_all(tx: Transaction, account_id: UUID) -> None:
    """Unlink every identity of the account; any account may link them afterwards."""
    await tx.execute(_UNLINK_ALL, account_id=account_id)
