"""Brings .venv in line with requirements.lock and installs this repository's packages into it as editable.

Every make target calls this first. If .venv is up to date, this does nothing and takes a few hundredths of a second.
Concurrent calls do the work once. Needs only the standard library and a package index.
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
# Dependencies first: each package is installed without resolving its dependencies.
PACKAGES = ("proto/python", "clients/python", "clients/cli", ".")


class BootstrapError(Exception):
    """The environment could not be created; the text is printed to the user."""


def main() -> int:
    try:
        ensure_environment(ROOT, PACKAGES)
    except (BootstrapError, OSError) as error:
        print(f"Setting up .venv failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def ensure_environment(root: Path, packages: Sequence[str]) -> None:
    """Creates or updates whatever is missing or out of date under `root`."""
    required = [environment_fingerprint(root), packages_fingerprint(root, packages)]
    if read_stamp(root) == required:
        return
    with exclusive_lock(root):
        # The previous holder of the lock may have finished the work.
        installed = read_stamp(root)
        if installed == required:
            return
        stamp_file(root).unlink(missing_ok=True)
        if installed[:1] != required[:1]:
            create_environment(root)
        if packages:
            install_packages(root, packages)
        stamp_file(root).write_text("\n".join(required))
        report("Ready.")


def environment_fingerprint(root: Path) -> str:
    """Changes when .venv must be recreated: another lock, another Python version, or a moved or copied folder."""
    lock = (root / "requirements.lock").read_bytes()
    return digest(lock, str(root).encode(), repr(sys.version_info[:2]).encode())


def packages_fingerprint(root: Path, packages: Sequence[str]) -> str:
    """Changes when the packages must be reinstalled, because these files declare their names and scripts."""
    return digest(*[(root / package / "pyproject.toml").read_bytes() for package in packages])


def digest(*parts: bytes) -> str:
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def stamp_file(root: Path) -> Path:
    return root / ".venv" / "ready"


def read_stamp(root: Path) -> list[str]:
    """The fingerprints that .venv was created from; empty if it was never completed."""
    try:
        return stamp_file(root).read_text().split()
    except FileNotFoundError:
        return []


@contextmanager
def exclusive_lock(root: Path) -> Iterator[None]:
    """Waits for other processes that set up this folder. The kernel releases the lock when its holder exits."""
    with (root / ".venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Waiting for another make to set up .venv ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def create_environment(root: Path) -> None:
    """Creates .venv from scratch, so that nothing of an older lock remains in it."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    # .venv's own Python may run this; its base interpreter must create the replacement.
    python: str = getattr(sys, "_base_executable", sys.executable)
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise BootstrapError(
            f"Python {version} ({python}) cannot create virtual environments. "
            f"On Debian and Ubuntu, install the package python{version}-venv."
        )
    report(f"Setting up .venv with Python {version} (once, about half a minute) ...")
    run([python, "-I", "-m", "venv", "--clear", str(root / ".venv")], "creating the virtual environment failed")
    # The pip that comes with Python may be years old, and takes twice as long for the rest.
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    pip_lock = root / ".venv" / "pip.lock"
    pip_lock.write_text(find_pin("pip", lock))
    pip_install(root, "--require-hashes", "--requirement", str(pip_lock))
    pip_install(root, "--require-hashes", "--no-deps", "--requirement", "requirements.lock")


def find_pin(package: str, lock: str) -> str:
    """The lines of the lock that pin this package; empty if there are none."""
    found = re.search(rf"^{re.escape(package)}==.*\n(?:[ \t].*\n)*", lock, re.MULTILINE)
    return found[0] if found else ""


def install_packages(root: Path, packages: Sequence[str]) -> None:
    report("Installing the packages of this repository ...")
    # The lock contains the build backend, so nothing is downloaded.
    flags = ["--no-deps", "--no-build-isolation", "--no-index"]
    pip_install(root, *flags, *[part for package in packages for part in ("--editable", f"./{package}")])


def pip_install(root: Path, *arguments: str) -> None:
    python = str(root / ".venv" / "bin" / "python")
    flags = ["--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore"]
    run([python, "-I", "-m", "pip", "install", *flags, *arguments], "pip install failed", root)


def run(command: Sequence[str], failure: str, folder: Path | None = None) -> None:
    """Runs a command to its end. Its own error output goes to the terminal."""
    status = subprocess.run(command, cwd=folder, stdin=subprocess.DEVNULL, check=False).returncode
    if status != 0:
        raise BootstrapError(f"{failure} (status {status}, see above).")


def report(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
