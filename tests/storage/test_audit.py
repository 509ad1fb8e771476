"""The audit log."""

from uuid import uuid4

from tests.storage.databases import commit, rows
from tests.storage.states import NOON
from twofactor_server.storage import audit
from twofactor_server.storage.audit import AuditEvent
from twofactor_server.storage.database import Database


async def test_an_event_is_written_with_all_its_fields(database: Database, database_url: str) -> None:
    """It needs no account: this one is of a sign-in to an unknown address."""
    event = AuditEvent(
        account_id=audit.NO_ACCOUNT,
        event_id=uuid4(),
        time=NOON,
        action="start_sign_in",
        outcome="CREDENTIALS_MISMATCH",
        factor="password",
        caller="local",
        call_id="c0ffee",
        ip_address="192.0.2.10",
        user_agent="Firefox",
        details={"count": 2},
    )
    await commit(database, audit.record, event)
    names = [name for name in AuditEvent.__slots__ if name != "details"]
    statement = f"SELECT {', '.join(names)}, details ->> 'count' FROM audit_events"  # noqa: S608 - our columns
    assert await rows(database_url, statement) == [(*(getattr(event, name) for name in names), "2")]
