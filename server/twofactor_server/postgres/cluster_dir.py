"""The folder of the cluster: in the data folder, or elsewhere if PostgreSQL's user cannot enter that."""

import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .data_folder import DataFolderLock, make_data_folder, make_folder
from .errors import EmbeddedPostgresError
from .user import DatabaseUser, check_owner, database_user

ELSEWHERE = Path("/var/lib/twofactor")
PORT = 5432  # only a part of the socket's name
_SOCKET = f".s.PGSQL.{PORT}"
_MAX_SOCKET_PATH_BYTES = 107 if sys.platform == "linux" else 103  # sockaddr_un.sun_path without its NUL
_PREFIX = "twofactor-"


@dataclass(frozen=True, slots=True)
class ClusterDir:
    """A folder of the current user. ``user`` runs PostgreSQL, and owns the data and the socket in the folder."""

    folder: Path
    user: DatabaseUser

    @property
    def data(self) -> Path:
        """PostgreSQL's own data directory. If it exists, it is complete."""
        return self.folder / "data"

    @property
    def log_file(self) -> Path:
        return self.folder / "postgres.log"


def resolve_cluster_dir(data_dir: Path, log: Callable[[str], None]) -> ClusterDir:
    """Choose and create the cluster's folder. Reports through ``log`` if it is not in ``data_dir``.

    A link in ``data_dir`` points to a folder elsewhere, so that ``data_dir`` can be moved.
    """
    make_data_folder(data_dir)
    path = data_dir.resolve() / "postgres"
    if path.is_symlink() and not path.exists():
        raise EmbeddedPostgresError(
            f"The database of {data_dir} was in {os.readlink(path)}, which does not exist any more: restore it, "
            f"or remove {path} to start with an empty database."
        )
    user = database_user(path / "data")
    closed = None if user.is_current else user.first_closed_folder(path.parent)
    if closed is not None and not path.exists():
        path.symlink_to(_folder_elsewhere(path.parent, log))
    folder = path.resolve()
    make_folder(folder, 0o700 if user.is_current else 0o711)
    check_owner(path)
    check_owner(folder)
    if folder != path:
        reason = f", because its user {user.name} cannot enter {closed}" if closed else ""
        log(f"PostgreSQL's database is in {folder}{reason}.")
    closed = None if user.is_current else user.first_closed_folder(folder)
    if closed is not None:
        raise EmbeddedPostgresError(
            f"PostgreSQL runs as the user {user.name}, who cannot enter {closed}: "
            "move the data folder, start as an ordinary user, or set TWOFACTOR_DATABASE_URL."
        )
    return ClusterDir(folder, user)


def open_socket_folder(cluster_dir: ClusterDir) -> Path:
    """Create the folder of PostgreSQL's Unix socket and return its path.

    Only PostgreSQL's user and root can enter it; this replaces a password. It is ``socket`` in the cluster's folder. If
    that path is too long for a socket, ``socket`` is a link to a private temporary folder.
    """
    path = cluster_dir.folder / "socket"
    close_socket_folder(cluster_dir)
    if _fits(path):
        make_folder(path, 0o700)
        cluster_dir.user.take_ownership(path)
        for name in (_SOCKET, f"{_SOCKET}.lock"):
            (path / name).unlink(missing_ok=True)
        return path
    folder = _temporary_folder(cluster_dir)
    path.symlink_to(folder)
    return folder


def close_socket_folder(cluster_dir: ClusterDir) -> None:
    """Remove the temporary folder if there is one, also that of a killed run."""
    path = cluster_dir.folder / "socket"
    if not path.is_symlink():
        return
    folder = Path(os.readlink(path))
    # A cleaner of temporary files may have deleted the folder, and another user may have created one of that name.
    if folder.name.startswith(_PREFIX) and folder.is_dir() and folder.lstat().st_uid == cluster_dir.user.uid:
        shutil.rmtree(folder, ignore_errors=True)
    path.unlink()


def _folder_elsewhere(data_dir: Path, log: Callable[[str], None]) -> Path:
    make_data_folder(ELSEWHERE)
    folder = ELSEWHERE / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    if (folder / "data").exists():
        # No link points here, so this is the database of a deleted data folder of the same path. Keep it, but do not
        # use it for the new one: the keys of its secrets are gone.
        with DataFolderLock(folder):
            backup = folder.with_name(f"{folder.name}-set-aside-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
            folder.rename(backup)
        log(f"The database of an earlier {data_dir} was set aside as {backup}.")
    make_folder(folder, 0o711)
    return folder


def _fits(folder: Path) -> bool:
    """Whether a database URL can contain this folder: a comma would separate two hosts."""
    return len(os.fsencode(folder / _SOCKET)) <= _MAX_SOCKET_PATH_BYTES and not set(str(folder)) & set(',"\n')


def _temporary_folder(cluster_dir: ClusterDir) -> Path:
    for parent in dict.fromkeys((Path(tempfile.gettempdir()).resolve(), Path("/tmp").resolve())):  # noqa: S108
        # mkdtemp adds eight characters.
        if _fits(parent / f"{_PREFIX}xxxxxxxx") and cluster_dir.user.first_closed_folder(parent) is None:
            folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            cluster_dir.user.take_ownership(folder)
            return folder
    raise EmbeddedPostgresError(
        f"The path of {cluster_dir.folder} is too long for a Unix socket, and so is the folder of temporary files: "
        "use a shorter data folder, or set TMPDIR."
    )
