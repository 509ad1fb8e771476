"""Why the embedded PostgreSQL cannot run. Each message tells the operator what to do."""

from pathlib import Path


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used."""


class DataFolderInUse(EmbeddedPostgresError):
    """Another process holds the lock of the folder; ``pid`` is None if it has not written its number yet."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        holder = "another process" if pid is None else f"the process {pid}"
        super().__init__(f"The folder {folder} is in use by {holder}: stop it, or set another TWOFACTOR_DATA_DIR.")
        self.folder = folder
        self.pid = pid
