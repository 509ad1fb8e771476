"""The first schema."""

from twofactor_server.storage.migrations.plain_sql import run_sql_of

revision = "0001"
down_revision = None


def upgrade() -> None:
    run_sql_of(__file__)
