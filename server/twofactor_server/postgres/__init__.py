"""The embedded PostgreSQL: its programs are found, and a cluster in the data folder is created, started and stopped.

For Linux and macOS. Imports only the standard library, so that the supervisor starts fast.
"""

from .binaries import Binaries, find_binaries
from .data_folder import DataFolderLock, make_data_folder
from .embedded import EmbeddedPostgres
from .errors import DataFolderInUse, EmbeddedPostgresError

__all__ = [
    "Binaries",
    "DataFolderInUse",
    "DataFolderLock",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "find_binaries",
    "make_data_folder",
]
