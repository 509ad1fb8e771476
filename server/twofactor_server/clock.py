"""The time. In test mode it may come from a file, so that expiries, waits and windows can be tested in no time."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """The system's time, aware, in UTC."""
    return datetime.now(UTC)


def file_clock(path: Path) -> Clock:
    """A clock that reads the seconds since 1970 from ``path`` at each use, so that all workers obey at once."""

    def now() -> datetime:
        # A writer that truncates before it writes leaves the file empty for a moment: read again.
        while not (text := path.read_text().strip()):
            continue
        return datetime.fromtimestamp(float(text), UTC)

    return now
