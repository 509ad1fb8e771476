"""What the links of notices know of each other. All of it under the second factor's lock."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Integer, bindparam, select, update
from sqlalchemy.dialects.postgresql import JSONB

from twofactor_server.domain.mailed_links import MailedLink, Purpose
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import mailed_links, spent_backup_codes

_t = mailed_links.c
_NOTICES = (_t.account_id == bindparam("id"), _t.purpose == Purpose.NOT_ME)
_UNUSED = (*_NOTICES, _t.use_time.is_(None), _t.void_time.is_(None))
_MORE = _t.details.concat(bindparam("more", type_=JSONB()))
_NOTE = (
    update(mailed_links).where(_t.account_id == bindparam("id"), _t.link_id == bindparam("link")).values(details=_MORE)
)
_HAND_ON = (
    update(mailed_links)
    .where(*_UNUSED, _t.details["before"].astext == bindparam("state"))
    .values(details=_MORE, totp_secret=bindparam("secret"))
)
_STANDS_AT = (
    update(mailed_links).where(*_UNUSED, _t.details["after"].astext == bindparam("state")).values(details=_MORE)
)
_MADE_IN = select(_t.details["generation"].astext.cast(Integer)).where(
    *_NOTICES, _t.details["session_id"].astext == bindparam("session")
)
_s = spent_backup_codes.c
_SPENT = select(_s.generation).where(_s.account_id == bindparam("id"), _s.generation >= bindparam("since"))


async def note_undone(tx: Transaction, link: MailedLink, undone: Collection[str]) -> None:
    """Keep what the use of the link did, for whoever repeats it."""
    await tx.execute(_NOTE, {"id": link.account_id, "link": link.link_id, "more": {"undone": list(undone)}})


async def hand_on(tx: Transaction, link: MailedLink) -> None:
    """The change that this link told of is reported, and is not what the account has now: the link of the change that
    followed it, if there is one unused, goes back behind both."""
    values = {
        "id": link.account_id,
        "state": link.details["after"],
        "more": {name: link.details[name] for name in ("before", "earlier")},
        "secret": link.totp_secret,
    }
    await tx.execute(_HAND_ON, values)


async def stands_at(tx: Transaction, account_id: UUID, state: str, now_called: str) -> None:
    """This state was brought back, under another name: the change that had led to it stands again."""
    await tx.execute(_STANDS_AT, {"id": account_id, "state": state, "more": {"after": now_called}})


async def generations_made_in(tx: Transaction, account_id: UUID, session_id: str) -> set[int]:
    """The generations of backup codes that were shown in this session, as far as their notices still know."""
    return set((await tx.execute(_MADE_IN, {"id": account_id, "session": session_id})).scalars())


async def generations_spent(tx: Transaction, account_id: UUID, since: int) -> set[int]:
    """The generations from ``since`` on that were used."""
    return set((await tx.execute(_SPENT, {"id": account_id, "since": since})).scalars())
