"""Sealed replies: the answers to changing calls, kept for repeated calls. Erasing one keeps its row."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, select, update

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import replies
from twofactor_server.storage.statements import Statement, insert_row, param, values_of


@dataclass(frozen=True, slots=True)
class Reply:
    """A sealed reply.

    ``scope_id`` is the challenge (sign-in) or the session (changes) whose token unseals it. ``session_id`` is the
    session that the call opened or was made in. ``generation`` is that of the backup code in the reply; None without.
    """

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
_in_session = _t.session_id == param("session_id")
_erase = update(replies).where(_t.account_id == param("account_id"), _t.sealed.is_not(None)).values(sealed=None)

_FIND = Statement(
    select(
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
    ).where(
        _t.account_id == param("account_id"), _t.scope_id == param("scope_id"), _t.request_id == param("request_id")
    )
)
_INSERT = Statement(insert_row(replies))
_ERASE_SUPERSEDED = Statement(_erase.where(_t.generation < param("generation")))
_ERASE_SAVED = Statement(_erase.where(_in_session, _t.generation == param("generation")))
_ERASE_FOR_SESSION = Statement(_erase.where(_in_session))
_ERASE_FOR_SESSIONS = Statement(_erase.where(_t.session_id == any_(param("session_ids", ARRAY(Uuid())))))


async def find(tx: Transaction, account_id: UUID, scope_id: UUID, request_id: UUID) -> Reply | None:
    """The reply to this request, erased or not; None if the request has not succeeded."""
    row = await tx.fetch_row(_FIND, account_id=account_id, scope_id=scope_id, request_id=request_id)
    return Reply(*row) if row else None


async def store(tx: Transaction, reply: Reply) -> None:
    """Write the reply in the transaction of the change that it answers.

    A request has one reply: a second insert violates a constraint.
    """
    await tx.execute(_INSERT, **values_of(reply))


async def erase_superseded(tx: Transaction, account_id: UUID, generation: int) -> None:
    """Erase the replies with a backup code older than ``generation``: it is not valid any more."""
    await tx.execute(_ERASE_SUPERSEDED, account_id=account_id, generation=generation)


async def erase_saved(tx: Transaction, account_id: UUID, session_id: UUID, generation: int) -> None:
    """Erase the session's replies with this generation.

    Those of other sessions stay: they may hold the only copy for a device that lost its answer.
    """
    await tx.execute(_ERASE_SAVED, account_id=account_id, session_id=session_id, generation=generation)


async def erase_for_session(tx: Transaction, account_id: UUID, session_id: UUID) -> None:
    """Erase every reply of an ended session."""
    await tx.execute(_ERASE_FOR_SESSION, account_id=account_id, session_id=session_id)


async def erase_for_sessions(tx: Transaction, account_id: UUID, session_ids: Sequence[UUID]) -> None:
    """Erase every reply of these ended sessions."""
    await tx.execute(_ERASE_FOR_SESSIONS, account_id=account_id, session_ids=session_ids)
