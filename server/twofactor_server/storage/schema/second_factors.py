"""The second factor: one row for each account, its spent backup codes and its authenticator setups."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
)

from twofactor_server.storage.schema.columns import (
    binary,
    count,
    flag,
    metadata,
    one_of,
    references_account,
    text,
    time,
    uuid,
)

second_factors = Table(
    "second_factors",
    metadata,
    uuid("account_id"),
    text("method"),
    Column("generation", Integer(), nullable=False),
    binary("totp_secret", nullable=True),
    Column("last_step", BigInteger()),
    time("enable_time"),
    flag("authenticator_disabled"),
    text("backup_code_hash", nullable=True),
    time("backup_code_create_time"),
    time("saved_time"),
    count("email_code_failures"),
    time("email_code_wait_until"),
    count("authenticator_failures"),
    time("authenticator_wait_until"),
    PrimaryKeyConstraint("account_id"),
    references_account(),
    one_of("method", ("email", "authenticator")),
    CheckConstraint("(method = 'authenticator') = (totp_secret IS NOT NULL)", name="authenticator_has_secret"),
    CheckConstraint(
        "(method = 'authenticator') = (backup_code_hash IS NOT NULL)", name="authenticator_has_backup_code"
    ),
    CheckConstraint("generation >= 0 AND (method = 'email' OR generation >= 1)", name="generation"),
)

spent_backup_codes = Table(
    "spent_backup_codes",
    metadata,
    uuid("account_id"),
    Column("generation", Integer(), nullable=False),
    binary("fingerprint"),
    time("spend_time", nullable=False),
    PrimaryKeyConstraint("account_id", "generation"),
    references_account(),
    Index(None, "account_id", "fingerprint"),
)

authenticator_setups = Table(
    "authenticator_setups",
    metadata,
    uuid("account_id"),
    uuid("setup_id"),
    uuid("session_id"),
    binary("totp_secret", nullable=True),
    Column("attempts", SmallInteger(), nullable=False, server_default="0"),
    time("create_time", nullable=False),
    time("expire_time", nullable=False),
    time("end_time"),
    PrimaryKeyConstraint("account_id", "setup_id"),
    references_account(),
    CheckConstraint("attempts BETWEEN 0 AND 5", name="attempts"),
    # At most one open setup for each account: starting another one ends it in the same transaction.
    Index("uq_authenticator_setups_open", "account_id", unique=True, postgresql_where="end_time IS NULL"),
    Index(None, "expire_time"),
)
