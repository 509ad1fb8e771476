"""Revisions are SQL files next to their modules, so that what runs is what one reads."""

from pathlib import Path

from alembic import op


def run_sql_of(module: str) -> None:
    """Run the SQL file with the module's name, one statement at a time, as the driver requires."""
    for statement in Path(module).with_suffix(".sql").read_text().split(";\n"):
        if statement.strip():
            op.execute(statement)
