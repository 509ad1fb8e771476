"""Linked identities, and whose each one is. All that changes them happens under the second factor's lock."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql.dml import ReturningDelete

from twofactor_server.domain.accounts import Account
from twofactor_server.domain.identities import LinkedIdentity
from twofactor_server.storage import accounts
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import identities, identity_owners

_t = identities.c
_o = identity_owners.c
_READ = select(
    _t.account_id, _t.identity_id, _t.provider, _t.issuer, _t.subject, _t.email, _t.link_time
).where(_t.account_id == bindparam("id"))  # fmt: skip
_OF_ACCOUNT = _READ.order_by(_t.link_time, _t.identity_id)
_FIND = _READ.where(_t.issuer == bindparam("at"), _t.subject == bindparam("who"))
_OWNER = select(_o.account_id).where(_o.issuer == bindparam("at"), _o.subject == bindparam("who"))
_CLAIM = upsert(identity_owners).on_conflict_do_nothing()
_INSERT = insert(identities)
_UNLINK_ALL = delete(identities).where(_t.account_id == bindparam("id")).returning(_t.issuer, _t.subject)
_UNLINK = _UNLINK_ALL.where(_t.identity_id == bindparam("identity"))
_RELEASE = delete(identity_owners).where(
    _o.issuer == bindparam("at"), _o.subject == bindparam("who"), _o.account_id == bindparam("id")
)


async def owner(tx: Transaction, issuer: str, subject: str) -> Account | None:
    """The account that the identity is linked to, or None."""
    account_id = await tx.scalar(_OWNER, {"at": issuer, "who": subject})
    return await accounts.by_id(tx, account_id) if account_id else None


async def find(tx: Transaction, account_id: UUID, issuer: str, subject: str) -> LinkedIdentity | None:
    """The account's link to this identity, or None."""
    row = (await tx.execute(_FIND, {"id": account_id, "at": issuer, "who": subject})).one_or_none()
    return LinkedIdentity(*row) if row else None


async def of_account(tx: Transaction, account_id: UUID) -> list[LinkedIdentity]:
    """All links of the account, the oldest first."""
    return [LinkedIdentity(*row) for row in await tx.execute(_OF_ACCOUNT, {"id": account_id})]


async def link(tx: Transaction, linked: LinkedIdentity) -> bool:
    """Link the identity to the account; False if it is linked to any already. Of several at once, one gets it."""
    key = {"issuer": linked.issuer, "subject": linked.subject, "account_id": linked.account_id}
    if (await tx.execute(_CLAIM, key)).rowcount != 1:
        return False
    await tx.execute(_INSERT, asdict(linked))
    return True


async def unlink(tx: Transaction, account_id: UUID, identity_id: UUID) -> bool:
    """Remove this link; the identity is free for any account. False if it is not linked."""
    return await _unlink(tx, account_id, _UNLINK, identity=identity_id) == 1


async def unlink_all(tx: Transaction, account_id: UUID) -> None:
    """No identity opens the account any more; each is free for any account."""
    await _unlink(tx, account_id, _UNLINK_ALL)


async def _unlink(tx: Transaction, account_id: UUID, statement: ReturningDelete[Any], **which: UUID) -> int:
    unlinked = (await tx.execute(statement, {"id": account_id, **which})).all()
    for issuer, subject in unlinked:
        await tx.execute(_RELEASE, {"at": issuer, "who": subject, "id": account_id})
    return len(unlinked)
