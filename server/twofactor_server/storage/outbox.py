"""The outbox: mails written with the change that they announce, and leased for delivery at least once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import outbox
from twofactor_server.storage.statements import Statement, insert_row, param, values_of


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A mail to be delivered. ``payload`` is sealed; ``tries`` counts the deliveries begun, this one included."""

    account_id: UUID
    message_id: UUID
    kind: str
    payload: bytes
    create_time: datetime
    expire_time: datetime
    tries: int


_t = outbox.c
_this = (_t.account_id == param("account_id"), _t.message_id == param("message_id"))
_waiting = _t.payload.is_not(None)
_due = (
    select(_t.account_id, _t.message_id)
    .where(_waiting, _t.due_time <= param("now"))
    .order_by(_t.due_time)
    .limit(param("limit"))
    .with_for_update(skip_locked=True)
    .cte("due")
)

_INSERT = Statement(insert_row(outbox, omit=("send_time",)))
_LEASE = Statement(
    update(outbox)
    .where(_t.account_id == _due.c.account_id, _t.message_id == _due.c.message_id)
    .values(due_time=param("due_time"), tries=_t.tries + 1)
    .returning(_t.account_id, _t.message_id, _t.kind, _t.payload, _t.create_time, _t.expire_time, _t.tries)
)
_MARK_DONE = Statement(update(outbox).where(*_this).values(payload=None, send_time=param("send_time")))
_RESCHEDULE = Statement(update(outbox).where(*_this, _waiting).values(due_time=param("due_time")))
_ERASE_UNSENT = Statement(
    update(outbox).where(_t.account_id == param("account_id"), _t.kind == param("kind"), _waiting).values(payload=None)
)
_ERASE_EXPIRED = Statement(update(outbox).where(_waiting, _t.expire_time <= param("now")).values(payload=None))


async def enqueue(tx: Transaction, message: OutboxMessage) -> None:
    """Write the mail in the transaction of the change that it announces; due at once."""
    await tx.execute(_INSERT, **values_of(message), due_time=message.create_time)


async def enqueue_decoy(tx: Transaction, message: OutboxMessage) -> None:
    """Write the row that a delivered mail leaves: a mail that must not be sent costs as much as one that is."""
    await tx.execute(_INSERT, **values_of(message) | {"payload": None, "due_time": message.create_time})


async def lease(tx: Transaction, now: datetime, duration: timedelta, limit: int) -> Sequence[OutboxMessage]:
    """Up to ``limit`` due mails, which no other call gets before the lease ends.

    A mail that is not marked done by then is due again: its server may have died.
    """
    rows = await tx.fetch_all(_LEASE, now=now, due_time=now + duration, limit=limit)
    return [OutboxMessage(*row) for row in rows]


async def mark_done(tx: Transaction, message: OutboxMessage, sent: datetime | None) -> None:
    """Record that the mail was delivered at ``sent``, or given up (None), and erase its payload."""
    await tx.execute(_MARK_DONE, account_id=message.account_id, message_id=message.message_id, send_time=sent)


async def reschedule(tx: Transaction, message: OutboxMessage, due: datetime) -> None:
    """Make the mail due at ``due``, unless it is done."""
    await tx.execute(_RESCHEDULE, account_id=message.account_id, message_id=message.message_id, due_time=due)


async def erase_unsent(tx: Transaction, account_id: UUID, kind: str) -> None:
    """Erase the payloads of the account's undelivered mails of this kind. One that is being sent may still arrive."""
    await tx.execute(_ERASE_UNSENT, account_id=account_id, kind=kind)


async def erase_expired(tx: Transaction, now: datetime) -> None:
    """Erase the payloads of expired mails."""
    await tx.execute(_ERASE_EXPIRED, now=now)
