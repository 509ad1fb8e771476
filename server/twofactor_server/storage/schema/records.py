"""What is written along with a change: its sealed reply, its mail and its audit event.

Replies and mails are written under the lock of the account's second factor, which shows that the account exists; a
foreign key would only check it again on the hot path. Audit events may have no account.
"""

from sqlalchemy import Column, Index, Integer, PrimaryKeyConstraint, Table
from sqlalchemy.dialects.postgresql import JSONB

from twofactor_server.storage.schema.columns import binary, count, metadata, text, time, uuid

replies = Table(
    "replies",
    metadata,
    uuid("account_id"),
    uuid("scope_id"),
    uuid("request_id"),
    text("method"),
    binary("fingerprint"),
    uuid("session_id"),
    Column("generation", Integer()),
    text("key_id"),
    binary("sealed", nullable=True),
    time("create_time", nullable=False),
    time("expire_time", nullable=False),
    PrimaryKeyConstraint("account_id", "scope_id", "request_id"),
    Index(None, "expire_time"),
)

outbox = Table(
    "outbox",
    metadata,
    uuid("account_id"),
    uuid("message_id"),
    text("kind"),
    binary("payload", nullable=True),
    time("create_time", nullable=False),
    time("expire_time", nullable=False),
    time("due_time", nullable=False),
    count("tries"),
    time("send_time"),
    PrimaryKeyConstraint("account_id", "message_id"),
    # A payload is erased on delivery and on expiry: rows with one are still to be delivered.
    Index("ix_outbox_due", "due_time", postgresql_where="payload IS NOT NULL"),
)

audit_events = Table(
    "audit_events",
    metadata,
    uuid("account_id"),
    uuid("event_id"),
    time("time", nullable=False),
    text("action"),
    text("outcome"),
    text("factor", nullable=True),
    text("caller"),
    text("call_id"),
    text("ip_address"),
    text("user_agent"),
    uuid("challenge_id", nullable=True),
    uuid("session_id", nullable=True),
    Column("details", JSONB(), nullable=False, server_default="{}"),
    PrimaryKeyConstraint("account_id", "event_id"),
    Index(None, "account_id", "time"),
)
