"""The embedded PostgreSQL as the supervisor uses it: give it a data folder, get a URL."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from .binaries import Binaries, accessible_binaries, find_binaries
from .cluster import ADMINISTRATOR, DATABASE, OWNER, prepare_cluster
from .cluster_dir import PORT, ClusterDir, close_socket_folder, open_socket_folder, resolve_cluster_dir
from .data_folder import DataFolderLock
from .process import PostgresProcess, stop_orphans


class EmbeddedPostgres:
    """A PostgreSQL with its database in ``data_dir``, running during a ``with`` block.

    ``log`` receives messages for the operator. ``settings`` are PostgreSQL's own, except ``port`` and
    ``unix_socket_directories``, and override our defaults. ``binaries`` are searched for unless given.

    The cluster has its own lock. Hold a DataFolderLock on ``data_dir`` to protect the other files there. On Linux
    PostgreSQL stops when the thread that started it ends, also by kill -9.
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
        """Start PostgreSQL, or restart it under the same URL. No effect while it runs.

        Raises DataFolderInUse or another EmbeddedPostgresError.
        """
        if self._process is not None and self._process.poll() is None:
            return
        if self._cluster is None:
            self._cluster = _open(self._data_dir, self._log, self._binaries)
        cluster = self._cluster
        stop_orphans(cluster.directory.data, self._log)
        self._process = PostgresProcess.start(
            cluster.directory, cluster.binaries, cluster.socket_folder, self._settings
        )

    def poll(self) -> int | None:
        """None while PostgreSQL runs; then its exit status, or the negative number of the signal that killed it.

        Raises RuntimeError before the first start.
        """
        return self._started().poll()

    def stop(self) -> None:
        """Stop PostgreSQL and keep the lock, so that ``start`` restarts it under the same URL."""
        if self._process is not None:
            self._process.stop()

    def close(self) -> None:
        """Stop PostgreSQL and release the lock."""
        try:
            self.stop()
        finally:
            self._process = None
            if self._cluster is not None:
                _close(self._cluster)
                self._cluster = None

    @property
    def url(self) -> str:
        """The libpq URL of the server's role, which owns the database, over a Unix socket."""
        return self._url(OWNER)

    @property
    def administrator_url(self) -> str:
        """The same database as superuser, for tests and repairs."""
        return self._url(ADMINISTRATOR)

    @property
    def pid(self) -> int:
        """The pid of the postmaster. Raises RuntimeError before the first start."""
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
    """What is held from the first start until close, across restarts of PostgreSQL."""

    lock: DataFolderLock
    directory: ClusterDir
    binaries: Binaries
    socket_folder: Path


def _open(data_dir: Path, log: Callable[[str], None], given: Binaries | None) -> _OpenCluster:
    found = given or find_binaries()
    directory = resolve_cluster_dir(data_dir, log)
    lock = DataFolderLock(directory.folder)
    lock.acquire()
    try:
        binaries = accessible_binaries(found, directory.user, directory.folder)
        prepare_cluster(directory, binaries)
        return _OpenCluster(lock, directory, binaries, open_socket_folder(directory))
    except BaseException:
        lock.release()
        raise


def _close(cluster: _OpenCluster) -> None:
    try:
        close_socket_folder(cluster.directory)
    finally:
        cluster.lock.release()
