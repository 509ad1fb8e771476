"""What the account page needs, in plain SQL beside this file."""

from twofactor_server.storage.migrations.plain_sql import run_beside

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add it all; a server of the version before goes on beside it."""
    run_beside(__file__)
