"""The embedded PostgreSQL as its owner sees it: a data folder goes in, a URL comes out."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from .binaries import Binaries, find_binaries, reachable_binaries
from .cluster import ADMINISTRATOR, DATABASE, OWNER, make_ready
from .folder_lock import DataFolderLock
from .home import Home, settle
from .leftovers import stop_leftovers
from .process import PostgresProcess
from .socket_folder import PORT, close_socket_folder, open_socket_folder


class EmbeddedPostgres:
    """A PostgreSQL whose database lies in `data_dir`, for the time of a `with` block.

    `log` is told, in plain sentences, what an operator should know. `settings` are PostgreSQL's own (all but
    `port` and `unix_socket_directories`) and win over ours. `binaries` are looked for unless given.

    The database has a lock of its own against a second server; hold a DataFolderLock on `data_dir` for all
    else that lies there. On Linux PostgreSQL stops when the thread that started it ends, also by kill -9.
    """

    def __init__(
        self,
        data_dir: Path,
        log: Callable[[str], None],
        *,
        settings: Mapping[str, str] | None = None,
        binaries: Binaries | None = None,
    ) -> None:
        self._data_dir = data_dir
        self._log = log
        self._settings = dict(settings or {})
        self._binaries = binaries
        self._cluster: _OpenCluster | None = None
        self._process: PostgresProcess | None = None

    def start(self) -> None:
        """Start PostgreSQL, also again after it died or was stopped; the URL stays. No effect while it runs.

        Raises DataFolderInUse, or EmbeddedPostgresError with the reason.
        """
        if self._process is not None and self._process.poll() is None:
            return
        if self._cluster is None:
            self._cluster = _open(self._data_dir, self._log, self._binaries)
        cluster = self._cluster
        stop_leftovers(cluster.home.data, self._log)
        self._process = PostgresProcess.start(cluster.home, cluster.binaries, cluster.socket_folder, self._settings)

    def poll(self) -> int | None:
        """None while PostgreSQL runs; then its exit status, or the negative number of the signal it died of.

        Raises RuntimeError before the first start.
        """
        return self._started().poll()

    def stop(self) -> None:
        """Stop PostgreSQL and keep the folder, so that `start` brings it back under the same URL."""
        if self._process is not None:
            self._process.stop()

    def close(self) -> None:
        """Stop PostgreSQL and give the folder back."""
        try:
            self.stop()
        finally:
            self._process = None
            if self._cluster is not None:
                _close(self._cluster)
                self._cluster = None

    @property
    def url(self) -> str:
        """Where the server's role, which owns the database, connects: libpq's form, over a unix socket."""
        return self._url(OWNER)

    @property
    def administrator_url(self) -> str:
        """The same database as superuser, for tests and repairs."""
        return self._url(ADMINISTRATOR)

    @property
    def pid(self) -> int:
        """PostgreSQL's first process. Raises RuntimeError before the first start."""
        return self._started().pid

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _started(self) -> PostgresProcess:
        if self._process is None:
            raise RuntimeError("The embedded PostgreSQL has not been started.")
        return self._process

    def _url(self, role: str) -> str:
        if self._cluster is None:
            raise RuntimeError("The embedded PostgreSQL has not been started.")
        folder = quote(os.fsencode(self._cluster.socket_folder), safe="/")
        return f"postgresql://{role}@/{DATABASE}?host={folder}&port={PORT}"


@dataclass(frozen=True, slots=True)
class _OpenCluster:
    """What is held from the first start until close, over any number of PostgreSQL processes."""

    lock: DataFolderLock
    home: Home
    binaries: Binaries
    socket_folder: Path


def _open(data_dir: Path, log: Callable[[str], None], given: Binaries | None) -> _OpenCluster:
    found = given or find_binaries()
    home = settle(data_dir, log)
    lock = DataFolderLock(home.folder)
    lock.acquire()
    try:
        binaries = reachable_binaries(found, home.user, home.folder)
        make_ready(home, binaries)
        return _OpenCluster(lock, home, binaries, open_socket_folder(home))
    except BaseException:
        lock.release()
        raise


def _close(cluster: _OpenCluster) -> None:
    try:
        close_socket_folder(cluster.home)
    finally:
        cluster.lock.release()
