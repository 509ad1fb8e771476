"""The page with the counts of the long run."""

import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tests.concurrency.client_pool import PROCESSES
from tests.soak.counts import Counts
from tests.soak.environment import SERVER_PROCESSES

PAGE = Path(__file__).parent.parent.parent / "docs" / "evidence" / "never-twice.md"
_SOFTWARE = ("twofactor-server", "grpcio", "protobuf", "SQLAlchemy", "asyncpg", "argon2-cffi", "hypothesis")

_HEAD = """# Never twice, never neither, never lost, never free: what was counted

Written by `make soak`, which races real client processes against a real server, kills processes, cuts wires, and after
each fault asks through the contract whether exactly one of *the old code works* and *the repeated call returns the
replacement, and it works* is true, whether attempts were charged once, and whether there is one session and one mail an
effect. Every figure was counted in the run described here.
"""


def write(counts: Counts, minutes: float, postgres: str) -> None:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(counts, minutes, postgres))


def page(counts: Counts, minutes: float, postgres: str) -> str:
    """The page as Markdown."""
    rows = "\n".join(f"| {what} | {number:,} |" for what, number in sorted(counts.done.items()))
    software = "\n".join(f"| {name} | {version(name)} |" for name in _SOFTWARE)
    verdict = "\n".join(f"- {violation}" for violation in counts.violations) or "None."
    return f"""{_HEAD}
## The run

{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {minutes:.0f} minutes, on {os.cpu_count()} cores; {SERVER_PROCESSES} server
processes, {PROCESSES} client_pool client processes.

| counted | |
|---|---|
{rows}

## Violations

{verdict}

## Versions

| | |
|---|---|
| Python | {platform.python_version()} |
| PostgreSQL | {postgres} |
{software}
"""
