"""The audit log: who did what, when, from where, and with what outcome. It never holds a secret."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import audit_events
from twofactor_server.storage.statements import Statement, insert_row, values_of

NO_ACCOUNT = UUID(int=0)
"""The account_id of an event without an account, such as a sign-in to an unknown address."""


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """``outcome`` is "success" or the reason of the refusal; ``factor`` is what was proved or changed."""

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


_INSERT = Statement(insert_row(audit_events))


async def record(tx: Transaction, event: AuditEvent) -> None:
    """Write the event in the transaction of what it describes."""
    await tx.execute(_INSERT, **values_of(event))
