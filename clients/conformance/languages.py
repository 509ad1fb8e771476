"""The table of languages, and what this machine can do of it."""

import os
import shutil
import subprocess
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = Path(__file__).with_name("languages.toml")

Command = Sequence[str]


@dataclass(frozen=True)
class Language:
    """One client package; see languages.toml."""

    name: str
    folder: str
    needs: list[str]
    build: list[Command]
    check: list[Command]
    driver: Command
    generate: list[Command] = field(default_factory=list)

    @property
    def there(self) -> bool:
        """Whether this checkout has the package."""
        return (ROOT / self.folder).is_dir()

    @property
    def missing(self) -> list[str]:
        """The programs that are needed and not found."""
        return [name for name in self.needs if not _found(name)]

    @property
    def required(self) -> bool:
        """Whether REQUIRE_CLIENTS (`all`, or names) says that it may not be passed over."""
        names = os.environ.get("REQUIRE_CLIENTS", "").replace(",", " ").split()
        return self.name in names or "all" in names


class CommandFailed(Exception):
    """A package could not be built, or its own checks complain; the text holds the end of what was said."""


def languages() -> list[Language]:
    """All of the table."""
    with TABLE.open("rb") as file:
        return [Language(name, **row) for name, row in tomllib.load(file).items()]


def run(command: Command) -> str:
    """To its end, in the repository's folder; what it said. CommandFailed if it fails."""
    try:
        ended = subprocess.run(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise CommandFailed(f"{' '.join(command)}: {error}") from None
    if ended.returncode:
        said = "\n".join(ended.stdout.splitlines()[-60:])
        raise CommandFailed(f"{' '.join(command)} ended with status {ended.returncode}:\n{said}")
    return ended.stdout


def _found(name: str) -> bool:
    return (ROOT / name).is_file() if "/" in name else shutil.which(name) is not None
