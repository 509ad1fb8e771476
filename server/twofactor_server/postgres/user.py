"""The account of the operating system that PostgreSQL runs as: it refuses to be root."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedPostgresError

_STAND_INS_FOR_ROOT = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class DatabaseUser:
    """An account; its groups other than `gid` are given up, so they open nothing."""

    name: str
    uid: int
    gid: int

    @property
    def is_ourselves(self) -> bool:
        return self.uid == os.geteuid()

    def owns(self, path: Path) -> None:
        """Give `path` to this account."""
        if not self.is_ourselves:
            os.chown(path, self.uid, self.gid)

    def may_use(self, path: Path, bits: int) -> bool:
        """Whether `path` itself, its parents apart, grants all of `bits`: read 4, write 2, enter or run 1.

        Access control lists are not looked at: at worst that says no too often.
        """
        status = path.stat()
        if status.st_uid == self.uid:
            granted = status.st_mode >> 6
        elif status.st_gid == self.gid:
            granted = status.st_mode >> 3
        else:
            granted = status.st_mode
        return granted & bits == bits

    def closed_folder(self, folder: Path) -> Path | None:
        """The outermost folder on the way into `folder`, itself included, that this account may not enter."""
        way = folder.resolve()
        return next((step for step in (*reversed(way.parents), way) if not self.may_use(step, 1)), None)


def database_user(data: Path) -> DatabaseUser:
    """Who runs PostgreSQL: ourselves; when we are root, the owner of `data` if it exists, else a stand-in."""
    if os.geteuid() != 0:
        return DatabaseUser(name_of(os.geteuid()), os.geteuid(), os.getegid())
    if data.exists():
        status = data.stat()
        return DatabaseUser(name_of(status.st_uid), status.st_uid, status.st_gid)
    for name in _STAND_INS_FOR_ROOT:
        try:
            account = pwd.getpwnam(name)
        except KeyError:
            continue
        return DatabaseUser(name, account.pw_uid, account.pw_gid)
    raise EmbeddedPostgresError(
        "PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody: "
        "start as an ordinary user, or set TWOFACTOR_DATABASE_URL."
    )


def name_of(uid: int) -> str:
    """The name of an account, or its number when it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def check_ours(path: Path) -> None:
    """Refuse a folder, or a link to one, that another account could swap under our feet."""
    uid = path.lstat().st_uid
    if uid != os.geteuid():
        owner = name_of(uid)
        raise EmbeddedPostgresError(f"The database in {path} belongs to the user {owner}: start as that user.")
