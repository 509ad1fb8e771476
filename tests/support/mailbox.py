"""The mail folder of a server, read like the inboxes of its recipients."""

import asyncio
import email
import email.policy
import os
import re
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from operator import attrgetter
from pathlib import Path

PATIENCE = 20.0
"""Seconds to wait for an e-mail before the test fails."""


@dataclass
class _Entry:
    """An e-mail, its Date (to the second), and the number of the wait that saw it first."""

    mail: EmailMessage
    time: datetime
    seen: int = sys.maxsize

    @property
    def order(self) -> tuple[datetime, int]:
        """The sort key: oldest first, as far as it can be known."""
        return self.time, self.seen


@dataclass
class Mailbox:
    """The mail folder.

    The order of the files says nothing: of two server processes, the one that was called later may deliver first.
    E-mails of different seconds are ordered by their Date. Those of the same second are ordered by having waited for
    the first before the second was requested. `newest` fails if neither decides.
    """

    folder: Path
    _read: set[str] = field(default_factory=set)
    _entries: dict[str, dict[str, _Entry]] = field(default_factory=dict)
    _waits: int = 0

    async def wait_for(self, address: str, kind: str, count: int = 1) -> None:
        """Return once there are ``count`` e-mails of this kind."""
        await self._wait(address, kind, count)

    async def newest(self, address: str, kind: str, count: int = 1) -> EmailMessage:
        """The newest e-mail of this kind, once there are ``count`` of them."""
        return _newest(await self._wait(address, kind, count))

    async def code(self, address: str, count: int = 1) -> str:
        """The code in the newest sign-in e-mail."""
        found = re.search(r"^(\d{6})$", text_of(await self.newest(address, "sign-in-code", count)), re.MULTILINE)
        assert found
        return found[1]

    async def link(self, address: str, kind: str | None, purpose: str, count: int = 1) -> str:
        """The token in the newest link of this purpose, once there are ``count`` e-mails of this kind (None: any)."""
        pattern = re.compile(rf"^\S+/{purpose}\?token=(\S+)$", re.MULTILINE)
        entries = await self._wait(address, kind, count)
        found = pattern.search(text_of(_newest([one for one in entries if pattern.search(text_of(one.mail))])))
        assert found
        return found[1]

    def links(self, address: str, kind: str, purpose: str) -> list[str]:
        """The tokens in the links of this purpose in all e-mails of this kind that have arrived, oldest first."""
        pattern = re.compile(rf"^\S+/{purpose}\?token=(\S+)$", re.MULTILINE)
        return [token for mail in self.to(address, kind) for token in pattern.findall(text_of(mail))]

    def to(self, address: str, kind: str | None = None) -> list[EmailMessage]:
        """All e-mails to the address that have arrived, oldest first."""
        return [entry.mail for entry in self._to(address, kind)]

    async def _wait(self, address: str, kind: str | None, count: int) -> list[_Entry]:
        deadline = time.monotonic() + PATIENCE
        while len(found := self._to(address, kind)) < count:
            assert time.monotonic() < deadline, f"no {kind} e-mail arrived"
            await asyncio.sleep(0.02)
        self._waits += 1
        for entry in found:
            entry.seen = min(entry.seen, self._waits)
        return found

    def _to(self, address: str, kind: str | None) -> list[_Entry]:
        for name in set(os.listdir(self.folder)) - self._read if self.folder.is_dir() else ():
            if name.endswith(".eml"):
                self._read.add(name)
                message = email.message_from_bytes((self.folder / name).read_bytes(), policy=email.policy.default)
                assert isinstance(message, EmailMessage)
                # Grouped by address once, because a header is parsed again at each access. A mail that is delivered
                # twice has the same Message-ID and counts once.
                entries = self._entries.setdefault(message["To"], {})
                entries.setdefault(message["Message-ID"], _Entry(message, message["Date"].datetime))
        found = sorted(self._entries.get(address, {}).values(), key=attrgetter("order"))
        return [entry for entry in found if kind in (None, entry.mail["X-Twofactor-Kind"])]


def _newest(entries: list[_Entry]) -> EmailMessage:
    assert entries, "no such e-mail arrived"
    *older, newest = entries
    assert not older or older[-1].order < newest.order, "ambiguous: wait for one e-mail before requesting the next"
    return newest.mail


def text_of(mail: EmailMessage) -> str:
    """The text/plain part."""
    body = mail.get_body(("plain",))
    assert body is not None
    content = body.get_content()
    assert isinstance(content, str)
    return content
