"""The time: the system's, or a file's in test mode."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from twofactor_server.clock import file_clock, system_clock


def test_the_systems_time_is_aware_and_in_utc() -> None:
    before = time.time()
    now = system_clock()
    assert before - 1 <= now.timestamp() <= time.time() + 1
    assert now.tzinfo is UTC


def test_a_file_is_read_at_each_use(tmp_path: Path) -> None:
    """So all server processes obey at once."""
    path = tmp_path / "now"
    now = file_clock(path)
    path.write_text("1111111109")
    assert now() == datetime(2005, 3, 18, 1, 58, 29, tzinfo=UTC)
    path.write_text("2000000000.25\n")
    assert now() == datetime(2033, 5, 18, 3, 33, 20, 250_000, tzinfo=UTC)


def test_a_writer_that_empties_the_file_first_does_no_harm(tmp_path: Path) -> None:
    """What a shell's ``date +%s > now`` does. With the second look taken out, the empty text was no number."""
    path = tmp_path / "now"
    path.write_text("")
    writer = threading.Timer(0.05, path.write_text, ["1111111109"])
    writer.start()
    assert file_clock(path)() == datetime(2005, 3, 18, 1, 58, 29, tzinfo=UTC)
    writer.join()
