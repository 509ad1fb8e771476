"""Where the embedded PostgreSQL lives: in the data folder, or elsewhere when that is closed to its user."""

import hashlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedPostgresError
from .folder_lock import DataFolderLock, make_data_folder, make_folder
from .user import DatabaseUser, check_ours, database_user

ELSEWHERE = Path("/var/lib/twofactor")


@dataclass(frozen=True, slots=True)
class Home:
    """A folder of ours, and the account PostgreSQL runs as, which owns the data and the socket in it."""

    folder: Path
    user: DatabaseUser

    @property
    def data(self) -> Path:
        """PostgreSQL's own data folder; when it exists it is whole."""
        return self.folder / "data"

    @property
    def log_file(self) -> Path:
        return self.folder / "postgres.log"


def settle(data_dir: Path, log: Callable[[str], None]) -> Home:
    """Choose and make the home of the database of `data_dir`; says through `log` when it lies elsewhere.

    A link in the data folder remembers a home elsewhere, so that the data folder may be moved.
    """
    make_data_folder(data_dir)
    place = data_dir.resolve() / "postgres"
    if place.is_symlink() and not place.exists():
        raise EmbeddedPostgresError(
            f"The database of {data_dir} lay in {os.readlink(place)}, which is gone: bring it back, "
            f"or remove {place} to begin with an empty one."
        )
    user = database_user(place / "data")
    closed = None if user.is_ourselves else user.closed_folder(place.parent)
    if closed is not None and not place.exists():
        place.symlink_to(_home_elsewhere(place.parent, log))
    home = place.resolve()
    make_folder(home, 0o700 if user.is_ourselves else 0o711)
    check_ours(place)
    check_ours(home)
    if home != place:
        reason = f", because its user {user.name} may not enter {closed}" if closed else ""
        log(f"PostgreSQL's database lies in {home}{reason}.")
    shut = None if user.is_ourselves else user.closed_folder(home)
    if shut is not None:
        raise EmbeddedPostgresError(
            f"PostgreSQL runs as the user {user.name}, who may not enter {shut}: "
            "move the data folder, start as an ordinary user, or set TWOFACTOR_DATABASE_URL."
        )
    return Home(home, user)


def _home_elsewhere(data_dir: Path, log: Callable[[str], None]) -> Path:
    make_data_folder(ELSEWHERE)
    home = ELSEWHERE / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    if (home / "data").exists():
        # No link leads here: the data folder was removed and made anew. What it had is not ours to delete,
        # and not to be taken for the new one's: its secrets are sealed with keys that are gone.
        with DataFolderLock(home):
            aside = home.with_name(f"{home.name}-set-aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
            home.rename(aside)
        log(f"The database of an earlier {data_dir} was set aside as {aside}.")
    make_folder(home, 0o711)
    return home
