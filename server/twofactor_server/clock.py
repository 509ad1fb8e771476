"""The time: the system's, or, in test mode, the content of a file, so that tests need not wait for expiries."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]
"""Returns the current time, timezone-aware, in UTC."""


def system_clock() -> datetime:
    return datetime.now(UTC)


def file_clock(path: Path) -> Clock:
    """A clock that reads Unix seconds from ``path`` on every call, so that all workers have the same time."""

    def now() -> datetime:
        # A writer that truncates the file first leaves it empty for a moment.
        while not (text := path.read_text().strip()):
            continue
        return datetime.fromtimestamp(float(text), UTC)

    return now
