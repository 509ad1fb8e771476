"""Links sent by mail. All of it happens under the second factor's lock."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import bindparam, func, insert, select, update

from twofactor_server.domain.mailed_links import MailedLink, Purpose
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import mailed_links

_t = mailed_links.c
_THIS = (_t.account_id == bindparam("id"), _t.link_id == bindparam("link"))
_INSERT = insert(mailed_links)
# Inserts nothing where there is no such link, and there is none.
_PRETEND = insert(mailed_links).from_select(list(_t.keys()), select(mailed_links).where(*_THIS))
_FIND = select(
    _t.account_id,
    _t.link_id,
    _t.purpose,
    _t.details,
    _t.totp_secret,
    _t.create_time,
    _t.expire_time,
    _t.void_time,
    _t.use_time,
    _t.use_fingerprint,
).where(_t.account_id == bindparam("id"), _t.token_digest == bindparam("digest"))
# The secret is emptied with the use: it was put back, or it never will be.
_USE = (
    update(mailed_links)
    .where(*_THIS, _t.use_time.is_(None), _t.void_time.is_(None))
    .values(use_time=bindparam("now"), use_fingerprint=bindparam("print"), totp_secret=None)
)
_VOID: Any = {"void_time": bindparam("now"), "totp_secret": None}
_OPEN = (_t.account_id == bindparam("id"), _t.use_time.is_(None), _t.void_time.is_(None))
_VOID_ALL = update(mailed_links).where(*_OPEN, _t.purpose == bindparam("for")).values(_VOID)
_TIMES = (
    select(_t.create_time)
    .where(_t.account_id == bindparam("id"), _t.purpose == bindparam("for"), _t.create_time > bindparam("since"))
    .order_by(_t.create_time)
)
_COUNT = (
    select(func.count())
    .select_from(mailed_links)
    .where(_t.account_id == bindparam("id"), _t.purpose == bindparam("for"), _t.create_time > bindparam("since"))
)


async def create(tx: Transaction, link: MailedLink, token_digest: bytes) -> None:
    """Write the link."""
    await tx.execute(_INSERT, asdict(link) | {"token_digest": token_digest})


async def pretend(tx: Transaction) -> None:
    """Write no link, in a statement like the one that writes one: for an address that has no account."""
    await tx.execute(_PRETEND, {"id": uuid4(), "link": uuid4()})


async def find(tx: Transaction, account_id: UUID, digest: bytes) -> MailedLink | None:
    """The link of this token, in whatever state; None if there is none."""
    row = (await tx.execute(_FIND, {"id": account_id, "digest": digest})).mappings().one_or_none()
    return MailedLink(**{**row, "purpose": Purpose(row["purpose"])}) if row else None


async def use(tx: Transaction, link: MailedLink, fingerprint: bytes, now: datetime) -> bool:
    """Use the link up, for this content; False if it was used or void before. Of several at once, one uses it."""
    values = {"id": link.account_id, "link": link.link_id, "now": now, "print": fingerprint}
    return (await tx.execute(_USE, values)).rowcount == 1


async def void(tx: Transaction, account_id: UUID, purpose: Purpose, now: datetime) -> None:
    """Make every unused link of this purpose void."""
    await tx.execute(_VOID_ALL, {"id": account_id, "for": purpose, "now": now})


async def count_since(tx: Transaction, account_id: UUID, purpose: Purpose, since: datetime) -> int:
    """How many links of this purpose were made after ``since``."""
    return await tx.scalar(_COUNT, {"id": account_id, "for": purpose, "since": since}) or 0


async def made_since(tx: Transaction, account_id: UUID, purpose: Purpose, since: datetime) -> list[datetime]:
    """When the links of this purpose were made that were made after ``since``, oldest first."""
    return list((await tx.execute(_TIMES, {"id": account_id, "for": purpose, "since": since})).scalars())
