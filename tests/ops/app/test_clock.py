"""The system clock, and the file clock of test mode."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from twofactor_server.clock import file_clock, system_clock


def test_the_system_clock_is_timezone_aware_in_utc() -> None:
    before = time.time()
    now = system_clock()
    assert before - 1 <= now.timestamp() <= time.time() + 1
    assert now.tzinfo is UTC


def test_the_file_is_read_on_every_call(tmp_path: Path) -> None:
    """So all server processes have the same time."""
    path = tmp_path / "now"
    now = file_clock(path)
    path.write_text("1111111109")
    assert now() == datetime(2005, 3, 18, 1, 58, 29, tzinfo=UTC)
    path.write_text("2000000000.25\n")
    assert now() == datetime(2033, 5, 18, 3, 33, 20, 250_000, tzinfo=UTC)


def test_an_empty_file_is_read_again(tmp_path: Path) -> None:
    """The shell's ``date +%s > now`` truncates the file first. Seen to fail without the loop."""
    path = tmp_path / "now"
    path.write_text("")
    writer = threading.Timer(0.05, path.write_text, ["1111111109"])
    writer.start()
    assert file_clock(path)() == datetime(2005, 3, 18, 1, 58, 29, tzinfo=UTC)
    writer.join()
