"""Brings .venv in line with requirements.lock and installs this repository's packages into it, editable.

Every make target calls this first. With nothing to do it does nothing, in a few hundredths of a second;
several at once (two terminals in a fresh clone) do the work once.
Needs nothing but the standard library and a package index.
"""

import fcntl
import hashlib
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In the order of their needs: each of them is installed without looking at its dependencies.
PACKAGES = ("clients/python", "clients/cli", ".")


class SetUpFailedError(Exception):
    """The environment could not be made; the text is for the person at the terminal."""


def main() -> int:
    try:
        bring_up(ROOT, PACKAGES)
    except (SetUpFailedError, OSError) as failure:
        print(f"Setting up .venv failed: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def bring_up(root: Path, packages: Sequence[str]) -> None:
    """Makes what is missing or out of date under `root`; what is there and current is left alone."""
    wanted = [environment_print(root), packages_print(root, packages)]
    if recorded(root) == wanted:
        return
    with only_one(root):
        # Whoever held the lock before may have done it all.
        done = recorded(root)
        if done == wanted:
            return
        stamp_file(root).unlink(missing_ok=True)
        if done[:1] != wanted[:1]:
            make_environment(root)
        if packages:
            install_packages(root, packages)
        stamp_file(root).write_text("\n".join(wanted))
        say("Ready.")


def environment_print(root: Path) -> str:
    """Changes when .venv has to be made anew: another lock, another Python, a folder moved or copied."""
    lock = (root / "requirements.lock").read_bytes()
    return digest(lock, str(root).encode(), repr(sys.version_info[:2]).encode())


def packages_print(root: Path, packages: Sequence[str]) -> str:
    """Changes when the packages have to be installed again: their commands and names stand in these files."""
    return digest(*[(root / package / "pyproject.toml").read_bytes() for package in packages])


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def stamp_file(root: Path) -> Path:
    return root / ".venv" / "ready"


def recorded(root: Path) -> list[str]:
    """What .venv and what is in it were made from, as the stamp says; empty if it was never finished."""
    try:
        return stamp_file(root).read_text().split()
    except FileNotFoundError:
        return []


@contextmanager
def only_one(root: Path) -> Iterator[None]:
    """Waits for every other process that is setting up this folder; the lock dies with its holder."""
    with (root / ".venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another make is setting up .venv, waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_environment(root: Path) -> None:
    """Makes .venv from nothing, so that it holds what the lock names and nothing that an older lock named."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # When .venv's own Python runs this, the one it was made from has to make the next.
    python: str = getattr(sys, "_base_executable", sys.executable)
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise SetUpFailedError(
            f"Python {version} ({python}) cannot make virtual environments; "
            f"Debian and Ubuntu have what it lacks in the package python{version}-venv."
        )
    say(f"Setting up .venv with Python {version} (once, about half a minute) ...")
    run([python, "-I", "-m", "venv", "--clear", str(root / ".venv")], "the virtual environment was not made")
    # The pip that came with Python may be years old, and takes twice as long over the rest.
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    first = root / ".venv" / "pip.lock"
    first.write_text(pinned("pip", lock))
    pip_install(root, "--require-hashes", "--requirement", str(first))
    pip_install(root, "--require-hashes", "--no-deps", "--requirement", "requirements.lock")


def pinned(package: str, lock: str) -> str:
    """The lines of the lock that pin this package; none if it does not."""
    found = re.search(rf"^{re.escape(package)}==.*\n(?:[ \t].*\n)*", lock, re.MULTILINE)
    return found[0] if found else ""


def install_packages(root: Path, packages: Sequence[str]) -> None:
    say("Installing the packages of this repository ...")
    # What builds them is in the lock, so nothing is fetched.
    flags = ["--no-deps", "--no-build-isolation", "--no-index"]
    pip_install(root, *flags, *[part for package in packages for part in ("--editable", f"./{package}")])


def pip_install(root: Path, *arguments: str) -> None:
    python = str(root / ".venv" / "bin" / "python")
    flags = ["--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore"]
    run([python, "-I", "-m", "pip", "install", *flags, *arguments], "pip gave up", root)


def run(command: Sequence[str], failure: str, folder: Path | None = None) -> None:
    """Runs a program to its end; what it has to say about a failure stands on the terminal above ours."""
    status = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False).returncode
    if status != 0:
        raise SetUpFailedError(f"{failure} (status {status}, see above).")


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
