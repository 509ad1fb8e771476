"""Sealed replies: what a changing call answered, for the one who repeats it. Erasing empties the bytes only."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import replies


@dataclass(frozen=True, slots=True)
class Reply:
    """A sealed reply. ``scope_id`` is the challenge (sign-in) or the session (changes) whose token opens it;
    ``session_id`` the session that it opened, or that asked; ``generation`` the backup code in it, if one is."""

    account_id: UUID
    scope_id: UUID
    request_id: UUID
    method: str
    fingerprint: bytes
    session_id: UUID
    generation: int | None
    key_id: str
    sealed: bytes | None
    create_time: datetime
    expire_time: datetime


_t = replies.c
_FIND = select(
    _t.account_id,
    _t.scope_id,
    _t.request_id,
    _t.method,
    _t.fingerprint,
    _t.session_id,
    _t.generation,
    _t.key_id,
    _t.sealed,
    _t.create_time,
    _t.expire_time,
).where(_t.account_id == bindparam("id"), _t.scope_id == bindparam("scope"), _t.request_id == bindparam("request"))
_INSERT = insert(replies)
_OF_ACCOUNT = (_t.account_id == bindparam("id"), _t.sealed.is_not(None))
_ERASE_SUPERSEDED = update(replies).where(*_OF_ACCOUNT, _t.generation < bindparam("current")).values(sealed=None)
_ERASE_SAVED = (
    update(replies)
    .where(*_OF_ACCOUNT, _t.session_id == bindparam("session"), _t.generation == bindparam("current"))
    .values(sealed=None)
)
_ERASE_SESSION = update(replies).where(*_OF_ACCOUNT, _t.session_id == bindparam("session")).values(sealed=None)
_ERASE_SESSIONS = (
    update(replies).where(*_OF_ACCOUNT, _t.session_id.in_(bindparam("sessions", expanding=True))).values(sealed=None)
)


async def find(tx: Transaction, account_id: UUID, scope_id: UUID, request_id: UUID) -> Reply | None:
    """The reply to this logical call, erased or not; None if it was never answered with success."""
    row = (await tx.execute(_FIND, {"id": account_id, "scope": scope_id, "request": request_id})).one_or_none()
    return Reply(*row) if row else None


async def keep(tx: Transaction, reply: Reply) -> None:
    """Write the reply, in the transaction of the change that it answers."""
    await tx.execute(_INSERT, {name: getattr(reply, name) for name in Reply.__slots__})


async def erase_superseded(tx: Transaction, account_id: UUID, generation: int) -> None:
    """Erase the replies with a backup code older than ``generation``: what they hold is dead."""
    await tx.execute(_ERASE_SUPERSEDED, {"id": account_id, "current": generation})


async def erase_saved(tx: Transaction, account_id: UUID, session_id: UUID, generation: int) -> None:
    """Erase the replies with this generation that belong to the session, and no other: another device's reply may be
    the only copy for the one who lost the answer."""
    await tx.execute(_ERASE_SAVED, {"id": account_id, "session": session_id, "current": generation})


async def erase_of_session(tx: Transaction, account_id: UUID, session_id: UUID) -> None:
    """Erase every reply of the session, which was ended."""
    await tx.execute(_ERASE_SESSION, {"id": account_id, "session": session_id})


async def erase_of_sessions(tx: Transaction, account_id: UUID, session_ids: Sequence[UUID]) -> None:
    """Erase every reply of these sessions, which were ended."""
    await tx.execute(_ERASE_SESSIONS, {"id": account_id, "sessions": list(session_ids)})
