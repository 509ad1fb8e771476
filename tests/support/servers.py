"""Server processes for tests: started, killed, and their logs read."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Self

from tests.support.clock import Clock
from tests.support.mailbox import Mailbox
from tests.support.providers.both import Providers

PATIENCE = 20.0
"""Seconds to wait for a process to exit before the test fails."""


@dataclass
class Server:
    """One ``twofactor serve`` process with its workers, on an existing database."""

    data_dir: Path
    database_url: str
    clock: Clock
    workers: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)
    providers: Providers | None = None
    address: str = "127.0.0.1:0"
    process: subprocess.Popen[str] | None = None

    @cached_property
    def mailbox(self) -> Mailbox:
        """The folder into which the server delivers e-mails."""
        return Mailbox(self.data_dir / "mail")

    @property
    def log(self) -> str:
        """What the server has written to standard error so far."""
        return (self.data_dir / "log").read_text()

    def start(self) -> Self:
        """Start the server and wait until it listens. A restart keeps the address."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "twofactor_server", "serve"],
                env=self._environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.kill()
        assert line.startswith("listening on "), f"the server did not start:\n{self.log}"
        self.address = line.removeprefix("listening on ").strip()
        return self

    def kill(self) -> None:
        """Send SIGKILL to the supervisor and all its processes."""
        assert self.process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._reap()

    def stop(self) -> int:
        """Send SIGTERM to the supervisor; returns its exit status."""
        assert self.process
        self.process.terminate()
        return self._reap()

    def worker_pids(self) -> list[int]:
        """The worker processes that are running now; one that was just killed is not included."""
        assert self.process
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"worker" in _command_line(pid)]

    def _reap(self) -> int:
        assert self.process
        assert self.process.stdout
        status = self.process.wait(PATIENCE)
        self.process.stdout.close()
        return status

    def _environment(self) -> dict[str, str]:
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("TWOFACTOR_")}
        return inherited | {
            "TWOFACTOR_DATA_DIR": str(self.data_dir),
            "TWOFACTOR_DATABASE_URL": self.database_url,
            "TWOFACTOR_LISTEN": self.address,
            "TWOFACTOR_WORKERS": str(self.workers),
            "TWOFACTOR_TEST_MODE": "1",
            "TWOFACTOR_TEST_CLOCK_FILE": str(self.clock.path),
            # A minimal Argon2id cost: the tests exercise the protocol, not the hash.
            "TWOFACTOR_ARGON2_MEMORY_KIB": "256",
            "TWOFACTOR_ARGON2_TIME": "1",
            **(self.providers.settings if self.providers else {}),
            **self.settings,
        }


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@contextlib.contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Run the server for the duration of the block."""
    server.start()
    try:
        yield server
    finally:
        server.kill()


def second_server(
    server: Server, folder: Path, *, database_url: str = "", settings: Mapping[str, str] | None = None
) -> Server:
    """Another server, not started yet, with the same keys and mail folder, by default on the same database."""
    (folder / "mail").symlink_to(server.data_dir / "mail")
    keyring = {"TWOFACTOR_KEYRING_FILE": str(server.data_dir / "keyring.json")}
    return Server(
        folder,
        database_url or server.database_url,
        server.clock,
        workers=1,
        settings=keyring | dict(settings or {}),
        providers=server.providers,
    )


@contextlib.contextmanager
def crashing_server(server: Server, folder: Path, point: str) -> Iterator[Server]:
    """Run a second server whose process kills itself with SIGKILL at the crash point."""
    with serving(second_server(server, folder, settings={"TWOFACTOR_TEST_CRASH_AT": point})) as running:
        yield running
