"""Revisions are plain SQL beside their modules: what runs is what one reads."""

from pathlib import Path

from alembic import op


def run_beside(module: str) -> None:
    """Run the file of the module's name; the driver takes one statement at a time."""
    for statement in Path(module).with_suffix(".sql").read_text().split(";\n"):
        if statement.strip():
            op.execute(statement)
