"""A PostgreSQL of the server's own, kept in its data folder: found, initialised, run as a child, stopped.

For Linux and macOS. Imports the standard library only, so that the supervisor which holds it starts at once.
"""

from .binaries import Binaries, find_binaries
from .embedded import EmbeddedPostgres
from .errors import DataFolderInUse, EmbeddedPostgresError
from .folder_lock import DataFolderLock, make_data_folder

__all__ = [
    "Binaries",
    "DataFolderInUse",
    "DataFolderLock",
    "EmbeddedPostgres",
    "EmbeddedPostgresError",
    "find_binaries",
    "make_data_folder",
]
