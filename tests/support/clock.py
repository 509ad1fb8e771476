"""The clock of servers in test mode."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """The time that servers in test mode read from a file. It only moves forward: they share one database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._now = time.time()
        self._write()

    @property
    def now(self) -> datetime:
        """The time that the servers read."""
        return datetime.fromtimestamp(self._now, UTC)

    def advance(self, span: timedelta) -> None:
        """Move the clock forward."""
        self._now += span.total_seconds()
        self._write()

    def _write(self) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_text(f"{self._now:.6f}")
        draft.replace(self.path)
