"""The PostgreSQL of an earlier run on the same folder: its server was killed, and it may still shut down.

Called with the lock of the home held, so whatever is found has lost its server.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from .errors import EmbeddedPostgresError

# A fast stop writes a checkpoint; an immediate one leaves the log to be replayed; killing all is a power cut.
_STEPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))
# Children that have lost their first process: some compute on without noticing, none can do anything useful.
_STEPS_FOR_ORPHANS = _STEPS[1:]


def recorded_pid(data: Path) -> int | None:
    """The number in `postmaster.pid`, None without a readable one."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def stop_leftovers(data: Path, log: Callable[[str], None]) -> None:
    """Return once no process of an earlier run works on `data`; usually at once."""
    leader = recorded_pid(data)
    found = _working_on(data)
    if not found:
        return
    log(f"Waiting for the PostgreSQL of an earlier run to stop (processes {_listed(found)}).")
    for step, seconds in _STEPS if leader in found else _STEPS_FOR_ORPHANS:
        # The first process passes it on; sent to its children, SIGINT would mean something else.
        for pid in found & {leader} if leader in found and step != signal.SIGKILL else found:
            with suppress(ProcessLookupError):
                os.kill(pid, step)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = _working_on(data)
            if not found:
                return
            time.sleep(0.02)
    raise EmbeddedPostgresError(f"The PostgreSQL of an earlier run does not stop (processes {_listed(found)}).")


def _listed(pids: set[int]) -> str:
    return ", ".join(map(str, sorted(pids)))


def _working_on(data: Path) -> set[int]:
    return _by_working_folder(data) if sys.platform == "linux" else _by_command_line(data)


def _by_working_folder(data: Path) -> set[int]:
    """Every process of a PostgreSQL works in its data folder; a number and a name could be a stranger's."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            works_here = os.readlink(process / "cwd") == str(data)
            if works_here and (process / "comm").read_text().startswith("postgres"):
                found.add(int(process.name))
        except OSError:  # ended meanwhile, or another user's
            continue
    return found


def _by_command_line(data: Path) -> set[int]:
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,command="], capture_output=True, text=True, errors="replace", check=True
    ).stdout
    lines = (line.split(None, 1) for line in listing.splitlines())
    return {int(pid) for pid, *command in lines if command and f"postgres -D {data} " in command[0]}
