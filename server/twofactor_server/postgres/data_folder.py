"""The data folder, and the lock that keeps a second server out of it."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from .errors import DataFolderInUse, EmbeddedPostgresError

# A process writes its pid microseconds after it takes the lock.
_PID_WAIT_SECONDS = 0.2


def make_data_folder(folder: Path) -> None:
    """Create ``folder`` and its parents unless they exist; an existing folder keeps its mode.

    Other users cannot enter a new folder. If root creates it, they can enter but not list it, because PostgreSQL runs
    as another user and its cluster is inside.
    """
    make_folder(folder, 0o711 if os.geteuid() == 0 else 0o700)


def make_folder(folder: Path, mode: int) -> None:
    """Create ``folder`` with exactly ``mode``, whatever the umask, and its parents. An existing one keeps its mode."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        folder.chmod(mode)
    except OSError as error:
        if not isinstance(error, FileExistsError) or not folder.exists():
            raise EmbeddedPostgresError(f"The folder {folder} cannot be created: {error.strerror}.") from error


class DataFolderLock:
    """An exclusive lock on ``<folder>/lock``, a file that contains the pid of its holder.

    The kernel releases it when the process ends, also after kill -9. The file stays; its content means nothing then.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Create the folder if necessary and lock it.

        Raises DataFolderInUse if it is locked, even by this process through another object.
        """
        make_data_folder(self._folder)
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = _read_pid(descriptor)
            os.close(descriptor)
            raise DataFolderInUse(self._folder, pid) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """No effect if the lock is not held."""
        if self._descriptor is not None:
            # Do not remove the file: two servers could then lock two files of the same name.
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def _open(self) -> int:
        try:
            return os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
        except OSError as error:
            raise EmbeddedPostgresError(f"The data folder {self._folder} cannot be used: {error.strerror}.") from error

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _read_pid(descriptor: int) -> int | None:
    deadline = time.monotonic() + _PID_WAIT_SECONDS
    while time.monotonic() < deadline:
        content = os.pread(descriptor, 32, 0)
        if content.endswith(b"\n"):
            return int(content)
        time.sleep(0.01)
    return None
