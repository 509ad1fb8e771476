"""Renames a column. No released server reads it under its old name, so one step is enough."""

from twofactor_server.storage.migrations.plain_sql import run_sql_of

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    run_sql_of(__file__)
