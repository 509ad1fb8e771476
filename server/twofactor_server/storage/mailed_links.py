"""Links sent by mail. Under the second factor's lock."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select, update

from twofactor_server.domain.mailed_links import LinkPurpose, MailedLink
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import mailed_links
from twofactor_server.storage.statements import Statement, insert_row, param, values_of

_t = mailed_links.c
_this = (_t.account_id == param("account_id"), _t.link_id == param("link_id"))
_unused = (_t.use_time.is_(None), _t.void_time.is_(None))
_recent = (
    _t.account_id == param("account_id"),
    _t.purpose == param("purpose"),
    _t.create_time > param("since"),
)

_INSERT = Statement(insert_row(mailed_links))
# Copies a link that does not exist.
_INSERT_DECOY = Statement(mailed_links.insert().from_select(list(_t.keys()), select(mailed_links).where(*_this)))
_FIND = Statement(
    select(
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
    ).where(_t.account_id == param("account_id"), _t.token_digest == param("token_digest"))
)
# A used or void link does not need its secret any more: it was restored, or it never will be.
_MARK_USED = Statement(
    update(mailed_links)
    .where(*_this, *_unused)
    .values(use_time=param("use_time"), use_fingerprint=param("use_fingerprint"), totp_secret=None)
)
_VOID_UNUSED = Statement(
    update(mailed_links)
    .where(_t.account_id == param("account_id"), _t.purpose == param("purpose"), *_unused)
    .values({"void_time": param("void_time"), "totp_secret": None})
)
_COUNT = Statement(select(func.count()).select_from(mailed_links).where(*_recent))
_TIMES = Statement(select(_t.create_time).where(*_recent).order_by(_t.create_time))


async def create(tx: Transaction, link: MailedLink, token_digest: bytes) -> None:
    """Write the link."""
    await tx.execute(_INSERT, **values_of(link), token_digest=token_digest)


async def insert_decoy(tx: Transaction) -> None:
    """Run a statement like that of ``create`` that writes nothing, for an address without an account."""
    await tx.execute(_INSERT_DECOY, account_id=uuid4(), link_id=uuid4())


async def find(tx: Transaction, account_id: UUID, digest: bytes) -> MailedLink | None:
    """The link with this token, in any state; None if not found."""
    row = await tx.fetch_row(_FIND, account_id=account_id, token_digest=digest)
    if row is None:
        return None
    account_id, link_id, purpose, *state = row
    return MailedLink(account_id, link_id, LinkPurpose(purpose), *state)


async def mark_used(tx: Transaction, link: MailedLink, fingerprint: bytes, now: datetime) -> bool:
    """Use the link, for the request with this fingerprint, and erase its secret; False if it is used or void.

    At most one of several concurrent calls succeeds.
    """
    used = await tx.execute(
        _MARK_USED, account_id=link.account_id, link_id=link.link_id, use_time=now, use_fingerprint=fingerprint
    )
    return used == 1


async def void_unused(tx: Transaction, account_id: UUID, purpose: LinkPurpose, now: datetime) -> None:
    """Void every unused link for this purpose and erase its secret."""
    await tx.execute(_VOID_UNUSED, account_id=account_id, purpose=purpose, void_time=now)


async def count_since(tx: Transaction, account_id: UUID, purpose: LinkPurpose, since: datetime) -> int:
    """The number of links for this purpose that were created after ``since``."""
    count: int = await tx.fetch_value(_COUNT, account_id=account_id, purpose=purpose, since=since)
    return count


async def create_times_since(
    tx: Transaction, account_id: UUID, purpose: LinkPurpose, since: datetime
) -> list[datetime]:
    """When the links for this purpose were created that are newer than ``since``, oldest first."""
    return [time for (time,) in await tx.fetch_all(_TIMES, account_id=account_id, purpose=purpose, since=since)]
