"""Identities, account changes, throttling and suspension."""

from twofactor_server.storage.migrations.plain_sql import run_sql_of

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql_of(__file__)
