"""Accounts, and the look-ups of what must be unique across them."""

from sqlalchemy import PrimaryKeyConstraint, Table

from twofactor_server.storage.schema.columns import count, metadata, text, time, uuid

accounts = Table(
    "accounts",
    metadata,
    uuid("account_id"),
    text("email"),
    time("email_verify_time"),
    time("create_time", nullable=False),
    text("password_hash", nullable=True),
    count("password_version"),
    PrimaryKeyConstraint("account_id"),
)

account_emails = Table(
    "account_emails",
    metadata,
    text("email"),
    uuid("account_id"),
    PrimaryKeyConstraint("email"),
)

account_creations = Table(
    "account_creations",
    metadata,
    uuid("request_id"),
    uuid("account_id"),
    PrimaryKeyConstraint("request_id"),
)
