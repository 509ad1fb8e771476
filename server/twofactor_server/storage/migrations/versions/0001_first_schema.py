"""The first schema, in plain SQL beside this file."""

from twofactor_server.storage.migrations.plain_sql import run_beside

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    run_beside(__file__)
