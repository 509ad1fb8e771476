"""Real server processes for tests: started, told the time, killed, and read."""

import asyncio
import contextlib
import email
import email.policy
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Self

from tests.providers.both import Providers

PATIENCE = 20.0


class Clock:
    """The time that servers in test mode obey. It only goes forward: they share one database."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._now = time.time()
        self._write()

    @property
    def now(self) -> datetime:
        """What the servers read."""
        return datetime.fromtimestamp(self._now, UTC)

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        self._now += span.total_seconds()
        self._write()

    def _write(self) -> None:
        draft = self.path.with_suffix(".draft")
        draft.write_text(f"{self._now:.6f}")
        draft.replace(self.path)


@dataclass
class Mailbox:
    """The mail folder, read as its owners would."""

    folder: Path
    _read: set[str] = field(default_factory=set)
    _mails: dict[str, dict[str, tuple[str, EmailMessage]]] = field(default_factory=dict)

    async def wait_for(self, address: str, kind: str, count: int = 1) -> EmailMessage:
        """The newest mail of this kind, once there are ``count`` of them."""
        deadline = time.monotonic() + PATIENCE
        while len(found := self.to(address, kind)) < count:
            assert time.monotonic() < deadline, f"no {kind} mail came"
            await asyncio.sleep(0.02)
        return found[-1]

    async def code(self, address: str, count: int = 1) -> str:
        """The code of the newest sign-in mail."""
        mail = await self.wait_for(address, "sign-in-code", count)
        match = re.search(r"^(\d{6})$", text_of(mail), re.MULTILINE)
        assert match
        return match[1]

    async def link(self, address: str, kind: str, purpose: str, count: int = 1) -> str:
        """The token in the newest link of this purpose, once there are ``count`` mails of this kind."""
        await self.wait_for(address, kind, count)
        texts = [text_of(mail) for mail in reversed(self.to(address, kind))]
        found = [match[1] for text in texts if (match := re.search(rf"^\S+/{purpose}\?token=(\S+)$", text, re.M))]
        assert found, f"no {kind} mail has such a link"
        return found[0]

    def to(self, address: str, kind: str | None = None) -> list[EmailMessage]:
        """All mails to the address, oldest first."""
        for name in set(os.listdir(self.folder)) - self._read if self.folder.is_dir() else ():
            if name.endswith(".eml"):
                self._read.add(name)
                message = email.message_from_bytes((self.folder / name).read_bytes(), policy=email.policy.default)
                assert isinstance(message, EmailMessage)
                # Kept by address: a header is parsed anew each time it is asked for. Delivered once more, a mail
                # has the same Message-ID, and is the same mail to whoever reads it.
                self._mails.setdefault(message["To"], {}).setdefault(message["Message-ID"], (name, message))
        found = sorted(self._mails.get(address, {}).values(), key=itemgetter(0))
        return [mail for _, mail in found if kind in (None, mail["X-Twofactor-Kind"])]


def text_of(mail: EmailMessage) -> str:
    """The text/plain part."""
    body = mail.get_body(("plain",))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content


@dataclass
class Server:
    """One ``twofactor serve``: its supervisor and worker processes, on a database given from outside."""

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
        """Its mail folder."""
        return Mailbox(self.data_dir / "mail")

    @property
    def log(self) -> str:
        """What it has written to standard error so far."""
        return (self.data_dir / "log").read_text()

    def start(self) -> Self:
        """Start, and wait until it serves. A second start keeps the address."""
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
        """kill -9 of the supervisor and everything it started."""
        assert self.process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self._reap()

    def stop(self) -> int:
        """SIGTERM, as an operator would; returns the exit status."""
        assert self.process
        self.process.terminate()
        return self._reap()

    def worker_pids(self) -> list[int]:
        """The server processes behind the supervisor that run now; one killed a moment ago is not among them."""
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
            # Argon2id at a token cost: what is tested is the protocol around it.
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
    """The server, started for the time of the block."""
    server.start()
    try:
        yield server
    finally:
        server.kill()
