"""What can keep the embedded PostgreSQL from running; each text is a sentence for the operator."""

from pathlib import Path


class EmbeddedPostgresError(Exception):
    """The embedded PostgreSQL cannot be used; the text says why and what to do."""


class DataFolderInUse(EmbeddedPostgresError):
    """Another process holds the lock of the folder.

    `pid` is that process, or None when it had not yet written its number.
    """

    def __init__(self, folder: Path, pid: int | None) -> None:
        holder = "another process" if pid is None else f"the process {pid}"
        super().__init__(f"The folder {folder} is in use by {holder}.")
        self.folder = folder
        self.pid = pid
