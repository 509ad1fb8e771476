"""The audit trail: who, what, when, from where, how it came out. Never a secret."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import audit_events

NOBODY = UUID(int=0)
"""The account of an event that concerns none, such as a sign-in to an address that nobody has."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One event. ``outcome`` is "success" or the reason of the refusal; ``factor`` what was proved or changed."""

    account_id: UUID
    event_id: UUID
    time: datetime
    action: str
    outcome: str
    factor: str | None
    caller: str
    call_id: str
    ip_address: str
    user_agent: str
    challenge_id: UUID | None = None
    session_id: UUID | None = None
    details: dict[str, str | int] = field(default_factory=dict)


_INSERT = insert(audit_events).inline()


async def record(tx: Transaction, event: AuditEvent) -> None:
    """Write the event in the transaction of what it tells."""
    await tx.execute(_INSERT, {name: getattr(event, name) for name in AuditEvent.__slots__})
