"""How PostgreSQL's programs are called: as their user, in an environment of our making, not outliving us."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from .user import DatabaseUser

_RUN_AS = Path(__file__).with_name("run_as.py")


def command_as(
    user: DatabaseUser, command: Sequence[str | Path], death_signal: signal.Signals = signal.SIGKILL
) -> list[str]:
    """The command line that runs `command` as `user`.

    On Linux the program gets `death_signal` when the thread that starts it ends.
    """
    uid, gid = (-1, -1) if user.is_ourselves else (user.uid, user.gid)
    numbers = (os.getpid(), uid, gid, int(death_signal))
    return [sys.executable, "-I", "-S", str(_RUN_AS), *map(str, numbers), *map(str, command)]


def environment(**extra: str) -> dict[str, str]:
    """Nothing inherited: neither PG variables, which would redirect the programs, nor our secrets."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **extra}
