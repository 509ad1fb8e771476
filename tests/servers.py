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
from operator import attrgetter
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
class _Letter:
    """A mail, the moment of what it tells (to the second), and the number of the wait that saw it first."""

    mail: EmailMessage
    time: datetime
    seen: int = sys.maxsize

    @property
    def age(self) -> tuple[datetime, int]:
        """Sorts the older first, as far as anything tells which that is."""
        return self.time, self.seen


@dataclass
class Mailbox:
    """The mail folder, read as its owners would.

    When a mail was written says nothing: of two server processes the one that was asked later may deliver first. Mails
    of different moments are told apart by these, those of one moment by having waited for the earlier before the later
    was asked for. Asked which of two is the newest where nothing says it, the mailbox fails, every time.
    """

    folder: Path
    _read: set[str] = field(default_factory=set)
    _letters: dict[str, dict[str, _Letter]] = field(default_factory=dict)
    _waits: int = 0

    async def wait_for(self, address: str, kind: str, count: int = 1) -> None:
        """Return once there are ``count`` mails of this kind."""
        await self._having(address, kind, count)

    async def newest(self, address: str, kind: str, count: int = 1) -> EmailMessage:
        """The newest mail of this kind, once there are ``count`` of them."""
        return _newest(await self._having(address, kind, count))

    async def code(self, address: str, count: int = 1) -> str:
        """The code of the newest sign-in mail."""
        found = re.search(r"^(\d{6})$", text_of(await self.newest(address, "sign-in-code", count)), re.MULTILINE)
        assert found
        return found[1]

    async def link(self, address: str, kind: str | None, purpose: str, count: int = 1) -> str:
        """The token in the newest link of this purpose, once there are ``count`` mails of this kind (None: of any)."""
        pattern = re.compile(rf"^\S+/{purpose}\?token=(\S+)$", re.MULTILINE)
        letters = await self._having(address, kind, count)
        found = pattern.search(text_of(_newest([one for one in letters if pattern.search(text_of(one.mail))])))
        assert found
        return found[1]

    def to(self, address: str, kind: str | None = None) -> list[EmailMessage]:
        """All mails to the address, oldest first."""
        return [letter.mail for letter in self._to(address, kind)]

    async def _having(self, address: str, kind: str | None, count: int) -> list[_Letter]:
        deadline = time.monotonic() + PATIENCE
        while len(found := self._to(address, kind)) < count:
            assert time.monotonic() < deadline, f"no {kind} mail came"
            await asyncio.sleep(0.02)
        self._waits += 1
        for letter in found:
            letter.seen = min(letter.seen, self._waits)
        return found

    def _to(self, address: str, kind: str | None) -> list[_Letter]:
        for name in set(os.listdir(self.folder)) - self._read if self.folder.is_dir() else ():
            if name.endswith(".eml"):
                self._read.add(name)
                message = email.message_from_bytes((self.folder / name).read_bytes(), policy=email.policy.default)
                assert isinstance(message, EmailMessage)
                # Kept by address: a header is parsed anew each time it is asked for. Delivered once more, a mail
                # has the same Message-ID, and is the same mail to whoever reads it.
                letters = self._letters.setdefault(message["To"], {})
                letters.setdefault(message["Message-ID"], _Letter(message, message["Date"].datetime))
        found = sorted(self._letters.get(address, {}).values(), key=attrgetter("age"))
        return [letter for letter in found if kind in (None, letter.mail["X-Twofactor-Kind"])]


def _newest(letters: list[_Letter]) -> EmailMessage:
    assert letters, "no such mail came"
    *older, newest = letters
    assert not older or older[-1].age < newest.age, "which is the newest? wait for one before the next is asked for"
    return newest.mail


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
