"""E-mails in the mail folder of a server that has no SMTP server configured."""

import email
import email.policy
import os
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import TypeVar

SIGN_IN_CODE = "sign-in-code"
PASSWORD_RESET = "password-reset"  # noqa: S105 - a kind of mail

_KIND_HEADER = "X-Twofactor-Kind"
_CODE = r"^\s*(\d{6})\s*$"
_TOKEN = r"^\S+\?token=(tfr_\S+)$"  # noqa: S105 - a pattern
_POLL_SECONDS = 0.05

Found = TypeVar("Found")


class Mailbox:
    """The mails to one address: those that arrive after the mailbox was opened, or all of them."""

    def __init__(self, folder: Path, recipient: str, *, since_now: bool = True) -> None:
        self._folder = folder
        self._recipient = recipient
        self._ignored = set(os.listdir(folder)) if since_now else set()
        self._read: set[str] = set()

    def wait_for_code(self, seconds: float) -> str | None:
        """The code in the newest unread sign-in mail; None if none arrives in time."""
        mail = _poll(lambda: self._next_unread(SIGN_IN_CODE), seconds)
        return _find_in_text(mail, _CODE) if mail else None

    def wait_for_token(self, kind: str, seconds: float) -> str | None:
        """The token in the link of the newest unread mail of this kind; None if none arrives in time."""
        mail = _poll(lambda: self._next_unread(kind), seconds)
        return _find_in_text(mail, _TOKEN) if mail else None

    def wait_for_notices(self, count: int, seconds: float) -> Counter[str]:
        """The number of mails by kind, without sign-in codes, once there are `count` of them or time has run out."""
        _poll(lambda: True if self._notices().total() >= count else None, seconds)
        return self._notices()

    def newest_token(self, purpose: str, kind: str | None = None) -> str | None:
        """The token in the newest link of this purpose, in mails of one kind or of any; None if not found."""
        for _, mail in self._mails():
            token = _find_in_text(mail, rf"^\S+/{purpose}\?token=(tfr_\S+)$")
            if token and kind in (None, mail[_KIND_HEADER]):
                return token
        return None

    def text(self) -> str:
        """The decoded text and headers of all mails."""
        return "\n".join(_full_text(mail) for _, mail in self._mails())

    def _next_unread(self, kind: str) -> EmailMessage | None:
        for name, mail in self._mails():
            if name not in self._read and mail[_KIND_HEADER] == kind:
                self._read.add(name)
                return mail
        return None

    def _notices(self) -> Counter[str]:
        kinds = Counter(str(mail[_KIND_HEADER]) for _, mail in self._mails())
        del kinds[SIGN_IN_CODE]
        return kinds

    def _mails(self) -> Iterator[tuple[str, EmailMessage]]:
        """Newest first: the file names start with the time of writing in milliseconds."""
        for name in sorted(set(os.listdir(self._folder)) - self._ignored, reverse=True):
            if not name.endswith(".eml"):
                continue  # still being written
            mail = email.message_from_bytes((self._folder / name).read_bytes(), policy=email.policy.default)
            if str(mail["To"]).lower() == self._recipient.lower():
                yield name, mail


def token_from_link(text: str) -> str | None:
    """The token in a link, or the token itself; None if the text is an e-mail address."""
    return None if "@" in text else text.rpartition("token=")[2]


def _poll(find: Callable[[], Found | None], seconds: float) -> Found | None:
    deadline = time.monotonic() + seconds
    while (found := find()) is None and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)
    return found


def _find_in_text(mail: EmailMessage, pattern: str) -> str | None:
    plain = mail.get_body(("plain",))
    match = re.search(pattern, plain.get_content() if plain else "", re.MULTILINE)
    return match[1] if match else None


def _full_text(mail: EmailMessage) -> str:
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in mail.items()), *parts])
