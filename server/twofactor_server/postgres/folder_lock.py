"""The lock that keeps a second server away from a data folder."""

import fcntl
import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from .errors import DataFolderInUse, EmbeddedPostgresError

# Between taking the lock and writing its number a holder needs microseconds; a reader waits this long for it.
_PID_PATIENCE_SECONDS = 0.2


def make_data_folder(folder: Path) -> None:
    """Make `folder` and its parents unless they exist; an existing folder keeps its permissions.

    A new folder is closed to others. Made by root it may be passed through, but not listed, because
    PostgreSQL runs as another user and its database lies inside.
    """
    make_folder(folder, 0o711 if os.geteuid() == 0 else 0o700)


def make_folder(folder: Path, mode: int) -> None:
    """Make `folder` with exactly `mode`, whatever the umask, and its parents; an existing one keeps its own."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir()
        folder.chmod(mode)
    except OSError as error:
        if not isinstance(error, FileExistsError) or not folder.exists():
            raise EmbeddedPostgresError(f"The folder {folder} cannot be made: {error.strerror}.") from error


class DataFolderLock:
    """An exclusive lock on `<folder>/lock`, which holds the number of the process that has it.

    The kernel drops it with the process, also after kill -9; the file stays, and its number means nothing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Take the lock, making the folder if need be.

        Raises DataFolderInUse when anybody has it, this process through another object included.
        """
        make_data_folder(self._folder)
        descriptor = self._open()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise DataFolderInUse(self._folder, holder) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._descriptor = descriptor

    def release(self) -> None:
        """Give the lock back; without effect when it is not held."""
        if self._descriptor is not None:
            # The file stays: were it removed, two servers could hold the lock of two files of one name.
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


def _holder(descriptor: int) -> int | None:
    deadline = time.monotonic() + _PID_PATIENCE_SECONDS
    while time.monotonic() < deadline:
        written = os.pread(descriptor, 32, 0)
        if written.endswith(b"\n"):
            return int(written)
        time.sleep(0.01)
    return None
