"""Accounts, and the look-up tables of what must be unique across them."""

from sqlalchemy import ARRAY, Column, DateTime, Index, PrimaryKeyConstraint, Table, UniqueConstraint

from twofactor_server.storage.schema.columns import binary, count, metadata, references_account, text, time, uuid

accounts = Table(
    "accounts",
    metadata,
    uuid("account_id"),
    text("email"),
    time("email_verify_time"),
    time("create_time", nullable=False),
    text("password_hash", nullable=True),
    count("password_version"),
    time("suspend_time"),
    time("close_time"),
    PrimaryKeyConstraint("account_id"),
)

# The accounts' addresses. One with ``reserved_until`` is a former address: it signs no one in, and until then no other
# account can claim it, because the account may restore it.
account_emails = Table(
    "account_emails",
    metadata,
    text("email"),
    uuid("account_id"),
    time("reserved_until"),
    PrimaryKeyConstraint("email"),
    Index(None, "account_id"),
    Index("ix_account_emails_reserved", "reserved_until", postgresql_where="reserved_until IS NOT NULL"),
)

account_creations = Table(
    "account_creations",
    metadata,
    uuid("request_id"),
    uuid("account_id"),
    # The fingerprint of the authorization code, if the account was created with an identity.
    binary("code_fingerprint", nullable=True),
    PrimaryKeyConstraint("request_id"),
)

identities = Table(
    "identities",
    metadata,
    uuid("account_id"),
    uuid("identity_id"),
    text("provider"),
    text("issuer"),
    text("subject"),
    text("email"),
    time("link_time", nullable=False),
    PrimaryKeyConstraint("account_id", "identity_id"),
    UniqueConstraint("account_id", "issuer", "subject"),
    references_account(),
)

identity_owners = Table(
    "identity_owners",
    metadata,
    text("issuer"),
    text("subject"),
    uuid("account_id"),
    PrimaryKeyConstraint("issuer", "subject"),
)

# ``subject`` is a digest of the typed address, so that addresses without an account are throttled alike.
first_factor_failures = Table(
    "first_factor_failures",
    metadata,
    binary("subject"),
    text("network_prefix"),
    count("failures"),
    time("wait_until"),
    time("last_time", nullable=False),
    PrimaryKeyConstraint("subject", "network_prefix"),
    Index(None, "last_time"),
)

# The newest failures of one address from all networks.
first_factor_totals = Table(
    "first_factor_totals",
    metadata,
    binary("subject"),
    Column("times", ARRAY(DateTime(timezone=True)), nullable=False),
    time("last_time", nullable=False),
    PrimaryKeyConstraint("subject"),
    Index(None, "last_time"),
)
