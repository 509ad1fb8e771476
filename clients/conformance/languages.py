"""The client packages of languages.toml, and whether this machine can build them."""

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


class CommandFailed(Exception):
    """The message holds the end of the command's output."""


@dataclass(frozen=True)
class Language:
    """One client package; languages.toml describes the fields."""

    name: str
    folder: str
    needs: list[str]
    build: list[Command]
    check: list[Command]
    driver: Command
    generate: list[Command] = field(default_factory=list)

    @property
    def obstacle(self) -> str:
        """Why the package cannot be built on this machine, or ""."""
        if not (ROOT / self.folder).is_dir():
            return f"{self.folder} does not exist"
        missing = [name for name in self.needs if not _is_installed(name)]
        return f"{missing[0]} is not installed" if missing else ""

    @property
    def is_required(self) -> bool:
        """Whether the environment variable REQUIRE_CLIENTS (`all`, or names) includes it."""
        names = os.environ.get("REQUIRE_CLIENTS", "").replace(",", " ").split()
        return self.name in names or "all" in names


def load_languages() -> list[Language]:
    with TABLE.open("rb") as file:
        return [Language(name, **row) for name, row in tomllib.load(file).items()]


def run_command(command: Command) -> str:
    """Run it in the repository's root and return its output. Raises CommandFailed."""
    try:
        process = subprocess.run(
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
    if process.returncode:
        output = "\n".join(process.stdout.splitlines()[-60:])
        raise CommandFailed(f"{' '.join(command)} exited with status {process.returncode}:\n{output}")
    return process.stdout


def _is_installed(name: str) -> bool:
    return (ROOT / name).is_file() if "/" in name else shutil.which(name) is not None
