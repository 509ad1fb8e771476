"""The outbox: mails written with the change they speak of, and leased to whoever delivers them. At least once."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import and_, bindparam, insert, select, update

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import outbox


@dataclass(frozen=True, slots=True)
class OutboxMessage:
    """A mail that waits. ``payload`` is sealed; ``tries`` counts the deliveries begun, this one included."""

    account_id: UUID
    message_id: UUID
    kind: str
    payload: bytes
    create_time: datetime
    expire_time: datetime
    tries: int


_t = outbox.c
_COLUMNS = (
    _t.account_id, _t.message_id, _t.kind, _t.payload, _t.create_time, _t.expire_time, _t.tries
)  # fmt: skip
_THIS = (_t.account_id == bindparam("id"), _t.message_id == bindparam("message"))
_INSERT = insert(outbox)
_DUE = (
    select(_t.account_id, _t.message_id)
    .where(_t.payload.is_not(None), _t.due_time <= bindparam("now"))
    .order_by(_t.due_time)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    .cte("due")
)
_LEASE = (
    update(outbox)
    .where(and_(_t.account_id == _DUE.c.account_id, _t.message_id == _DUE.c.message_id))
    .values(due_time=bindparam("lease_end"), tries=_t.tries + 1)
    .returning(*_COLUMNS)
)
_DONE = update(outbox).where(*_THIS).values(payload=None, send_time=bindparam("sent"))
_RETRY = update(outbox).where(*_THIS, _t.payload.is_not(None)).values(due_time=bindparam("due"))
_ERASE = (
    update(outbox)
    .where(_t.account_id == bindparam("id"), _t.kind == bindparam("which"), _t.payload.is_not(None))
    .values(payload=None)
)
_EXPIRE = update(outbox).where(_t.payload.is_not(None), _t.expire_time <= bindparam("now")).values(payload=None)


async def add(tx: Transaction, message: OutboxMessage) -> None:
    """Write the mail in the transaction of the change it speaks of; due at once."""
    await tx.execute(
        _INSERT,
        {
            "account_id": message.account_id,
            "message_id": message.message_id,
            "kind": message.kind,
            "payload": message.payload,
            "create_time": message.create_time,
            "expire_time": message.expire_time,
            "due_time": message.create_time,
        },
    )


async def add_decoy(tx: Transaction, message: OutboxMessage) -> None:
    """Write the row that a mail leaves once it is delivered: what nobody is to be mailed costs what a mail costs."""
    await tx.execute(_INSERT, {**asdict(message), "tries": 0, "due_time": message.create_time, "payload": None})


async def lease(tx: Transaction, now: datetime, duration: timedelta, most: int) -> Sequence[OutboxMessage]:
    """Up to ``most`` due mails, which nobody else is given until the lease ends. Not delivered by then, they are due
    again: a deliverer may have died."""
    rows = await tx.execute(_LEASE, {"now": now, "lease_end": now + duration, "most": most})
    return [OutboxMessage(*row) for row in rows]


async def mark_done(tx: Transaction, message: OutboxMessage, sent: datetime | None) -> None:
    """The mail is delivered at ``sent``, or given up (None). Either way its payload is erased."""
    await tx.execute(_DONE, {"id": message.account_id, "message": message.message_id, "sent": sent})


async def retry_at(tx: Transaction, message: OutboxMessage, due: datetime) -> None:
    """The mail is due again at ``due``."""
    await tx.execute(_RETRY, {"id": message.account_id, "message": message.message_id, "due": due})


async def erase_waiting(tx: Transaction, account_id: UUID, kind: str) -> None:
    """Erase the payloads of the account's mails of this kind that have not left. One that is leaving now may arrive."""
    await tx.execute(_ERASE, {"id": account_id, "which": kind})


async def expire(tx: Transaction, now: datetime) -> None:
    """Erase the payloads of mails that nobody needs any more."""
    await tx.execute(_EXPIRE, {"now": now})
