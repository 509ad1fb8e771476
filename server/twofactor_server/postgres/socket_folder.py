"""The folder of the unix socket: only PostgreSQL's user and root may enter, and need no password then."""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from .errors import EmbeddedPostgresError
from .folder_lock import make_folder
from .home import Home

PORT = 5432  # only part of the socket's name
_SOCKET = f".s.PGSQL.{PORT}"
_LONGEST = 107 if sys.platform == "linux" else 103  # bytes of sockaddr_un.sun_path, less its NUL
_PREFIX = "twofactor-"


def open_socket_folder(home: Home) -> Path:
    """Make the folder and return its path.

    It is `socket` in the home; where that would be too long for a socket, a link of that name leads to a
    private folder of unpredictable name among the temporary ones.
    """
    place = home.folder / "socket"
    close_socket_folder(home)
    if _fits(place):
        make_folder(place, 0o700)
        home.user.owns(place)
        for name in (_SOCKET, f"{_SOCKET}.lock"):
            (place / name).unlink(missing_ok=True)
        return place
    folder = _temporary_folder(home)
    place.symlink_to(folder)
    return folder


def close_socket_folder(home: Home) -> None:
    """Remove the temporary folder, if there is one, also that of a run which was killed."""
    place = home.folder / "socket"
    if not place.is_symlink():
        return
    folder = Path(os.readlink(place))
    # A cleaner of temporary files may have removed it, and anybody may have made another of its name.
    if folder.name.startswith(_PREFIX) and folder.is_dir() and folder.lstat().st_uid == home.user.uid:
        shutil.rmtree(folder, ignore_errors=True)
    place.unlink()


def _fits(folder: Path) -> bool:
    """Whether clients can be told this folder: a comma would separate two hosts."""
    return len(os.fsencode(folder / _SOCKET)) <= _LONGEST and not set(str(folder)) & set(',"\n')


def _temporary_folder(home: Home) -> Path:
    for parent in dict.fromkeys((Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve())):  # noqa: S108
        # Eight random letters are what mkdtemp adds.
        if _fits(parent / f"{_PREFIX}xxxxxxxx") and home.user.closed_folder(parent) is None:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            home.user.owns(folder)
            return folder
    raise EmbeddedPostgresError(
        f"The path of {home.folder} is too long for a unix socket, and so is the folder of temporary files: "
        "use a shorter data folder, or set TMPDIR."
    )
