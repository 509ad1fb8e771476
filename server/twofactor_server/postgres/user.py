"""The operating-system user that runs PostgreSQL, which refuses to run as root."""

import os
import pwd
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedPostgresError

_USERS_INSTEAD_OF_ROOT = ("postgres", "nobody")
_RUN_AS = Path(__file__).with_name("run_as.py")


@dataclass(frozen=True, slots=True)
class DatabaseUser:
    """Supplementary groups are dropped when a program runs as this user, so they grant nothing."""

    name: str
    uid: int
    gid: int

    @property
    def is_current(self) -> bool:
        """Whether this process already runs as this user."""
        return self.uid == os.geteuid()

    def take_ownership(self, path: Path) -> None:
        if not self.is_current:
            os.chown(path, self.uid, self.gid)

    def has_access(self, path: Path, bits: int) -> bool:
        """Whether the mode of ``path`` grants all of ``bits`` (read 4, write 2, execute 1); parents are not checked.

        Access control lists are ignored, so the answer may be no although access is possible.
        """
        status = path.stat()
        if status.st_uid == self.uid:
            granted = status.st_mode >> 6
        elif status.st_gid == self.gid:
            granted = status.st_mode >> 3
        else:
            granted = status.st_mode
        return granted & bits == bits

    def first_closed_folder(self, folder: Path) -> Path | None:
        """The outermost folder on the path to ``folder``, inclusive, that this user cannot enter; or None."""
        path = folder.resolve()
        return next((step for step in (*reversed(path.parents), path) if not self.has_access(step, 1)), None)

    def command(self, command: Sequence[str | Path], parent_death_signal: signal.Signals = signal.SIGKILL) -> list[str]:
        """The command line that runs ``command`` as this user.

        On Linux the program receives ``parent_death_signal`` when the thread that started it ends.
        """
        uid, gid = (-1, -1) if self.is_current else (self.uid, self.gid)
        numbers = (os.getpid(), uid, gid, int(parent_death_signal))
        return [sys.executable, "-I", "-S", str(_RUN_AS), *map(str, numbers), *map(str, command)]


def clean_environment(**extra: str) -> dict[str, str]:
    """Inherits nothing: PG* variables would redirect PostgreSQL's programs, and others may be secrets."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC", **extra}


def database_user(data: Path) -> DatabaseUser:
    """The current user; for root, the owner of ``data`` if it exists, otherwise an unprivileged user."""
    if os.geteuid() != 0:
        return DatabaseUser(_name_of(os.geteuid()), os.geteuid(), os.getegid())
    if data.exists():
        status = data.stat()
        return DatabaseUser(_name_of(status.st_uid), status.st_uid, status.st_gid)
    for name in _USERS_INSTEAD_OF_ROOT:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return DatabaseUser(name, account.pw_uid, account.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody: "
        "start as an ordinary user, or set TWOFACTOR_DATABASE_URL."
    )


def check_owner(path: Path) -> None:
    """Reject a folder, or a link to one, that another user could replace."""
    uid = path.lstat().st_uid
    if uid != os.geteuid():
        owner = _name_of(uid)
        raise EmbeddedPostgresError(f"The database in {path} belongs to the user {owner}: start as that user.")


def _name_of(uid: int) -> str:
    """The name of the user, or the number if there is no name."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
