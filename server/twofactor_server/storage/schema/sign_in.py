"""A sign-in: the challenge, its codes and attempts, and the session that it opens."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    UniqueConstraint,
)

from twofactor_server.storage.schema.columns import (
    binary,
    flag,
    metadata,
    one_of,
    references_account,
    references_challenge,
    text,
    time,
    uuid,
)

FIRST_FACTORS = ("password", "asserted", "oidc", "github")

challenges = Table(
    "challenges",
    metadata,
    uuid("account_id"),
    uuid("challenge_id"),
    binary("token_digest"),
    text("caller"),
    text("email"),
    text("first_factor"),
    Column("password_version", Integer(), nullable=False),
    flag("remember_me"),
    Column("attempts", SmallInteger(), nullable=False, server_default="0"),
    time("create_time", nullable=False),
    time("expire_time", nullable=False),
    time("complete_time"),
    time("void_time"),
    PrimaryKeyConstraint("account_id", "challenge_id"),
    UniqueConstraint("account_id", "token_digest"),
    references_account(),
    one_of("first_factor", FIRST_FACTORS),
    CheckConstraint("attempts BETWEEN 0 AND 5", name="attempts"),
    Index(None, "expire_time"),
)

email_codes = Table(
    "email_codes",
    metadata,
    uuid("account_id"),
    uuid("challenge_id"),
    Column("number", SmallInteger(), nullable=False),
    binary("mac"),
    text("key_id"),
    text("network_prefix"),
    uuid("request_id", nullable=True),
    time("create_time", nullable=False),
    PrimaryKeyConstraint("account_id", "challenge_id", "number"),
    references_challenge(),
    Index(None, "account_id", "create_time"),
)

backup_code_attempts = Table(
    "backup_code_attempts",
    metadata,
    uuid("account_id"),
    uuid("challenge_id"),
    binary("fingerprint"),
    text("verdict"),
    Column("reverifications", SmallInteger(), nullable=False, server_default="0"),
    text("network_prefix"),
    time("create_time", nullable=False),
    PrimaryKeyConstraint("account_id", "challenge_id", "fingerprint"),
    references_challenge(),
    one_of("verdict", ("pending", "wrong", "used", "right")),
    Index(None, "account_id", "create_time"),
)

sessions = Table(
    "sessions",
    metadata,
    uuid("account_id"),
    uuid("session_id"),
    uuid("challenge_id"),
    binary("token_digest"),
    text("first_factor"),
    text("proof"),
    time("proof_time", nullable=False),
    text("ip_address"),
    text("user_agent"),
    time("create_time", nullable=False),
    time("expire_time", nullable=False),
    time("last_active_time", nullable=False),
    flag("remembered"),
    time("end_time"),
    PrimaryKeyConstraint("account_id", "session_id"),
    UniqueConstraint("account_id", "token_digest"),
    # One challenge opens one session, even if every lock failed.
    UniqueConstraint("account_id", "challenge_id"),
    references_account(),
    one_of("first_factor", FIRST_FACTORS),
    one_of("proof", ("email_code", "authenticator", "backup_code")),
    Index(None, "expire_time"),
)

reauthentication_attempts = Table(
    "reauthentication_attempts",
    metadata,
    uuid("account_id"),
    uuid("session_id"),
    binary("fingerprint"),
    Column("password_version", Integer(), nullable=False),
    text("verdict"),
    PrimaryKeyConstraint("account_id", "session_id", "fingerprint"),
    ForeignKeyConstraint(
        ["account_id", "session_id"], ["sessions.account_id", "sessions.session_id"], ondelete="CASCADE"
    ),
    one_of("verdict", ("pending", "wrong")),
)

# One row for each wrong second factor after a right first factor.
second_factor_failures = Table(
    "second_factor_failures",
    metadata,
    uuid("account_id"),
    uuid("failure_id"),
    uuid("challenge_id"),
    time("time", nullable=False),
    PrimaryKeyConstraint("account_id", "failure_id"),
    references_account(),
    Index(None, "account_id", "time"),
    Index(None, "time"),
)
