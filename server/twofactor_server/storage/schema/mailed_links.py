"""Links sent by mail: the digest of the token, the purpose, and the use."""

from sqlalchemy import CheckConstraint, Column, Index, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB

from twofactor_server.storage.schema.columns import binary, metadata, one_of, references_account, text, time, uuid

mailed_links = Table(
    "mailed_links",
    metadata,
    uuid("account_id"),
    uuid("link_id"),
    binary("token_digest"),
    text("purpose"),
    Column("details", JSONB(), nullable=False, server_default="{}"),
    # In an undo link: the sealed secret of the replaced or removed authenticator, while it can be restored.
    binary("totp_secret", nullable=True),
    time("create_time", nullable=False),
    time("expire_time", nullable=False),
    time("void_time"),
    time("use_time"),
    binary("use_fingerprint", nullable=True),
    PrimaryKeyConstraint("account_id", "link_id"),
    UniqueConstraint("account_id", "token_digest"),
    references_account(),
    one_of("purpose", ("reset-password", "confirm-email", "not-me", "confirm-sign-in")),
    CheckConstraint("(use_time IS NULL) = (use_fingerprint IS NULL)", name="use"),
    Index(None, "account_id", "create_time"),
    Index(None, "expire_time"),
)
