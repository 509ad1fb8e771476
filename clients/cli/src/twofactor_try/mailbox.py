"""The owner's inbox: the mail folder of a server that has no SMTP server set."""

import email
import email.policy
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

SIGN_IN_CODE = "sign-in-code"
PASSWORD_RESET = "password-reset"  # noqa: S105 - a kind of mail
KIND_HEADER = "X-Twofactor-Kind"

_POLL_SECONDS = 0.05


class Mailbox:
    """The mails to one address that came after the mailbox was opened; or all of them."""

    def __init__(self, folder: Path, recipient: str, *, since_now: bool = True) -> None:
        self._folder = folder
        self._recipient = recipient
        self._before = set(os.listdir(folder)) if since_now else set()
        self._read: set[str] = set()

    def wait_for_code(self, seconds: float) -> str | None:
        """The code of the newest sign-in mail that was not read yet, None if none comes within `seconds`."""
        letter = self._wait_for(SIGN_IN_CODE, seconds)
        return code_in(letter) if letter else None

    def wait_for_token(self, kind: str, seconds: float) -> str | None:
        """The token in the link of the newest mail of this kind that was not read yet, None if none comes in time."""
        letter = self._wait_for(kind, seconds)
        return token_in(letter) if letter else None

    def _wait_for(self, kind: str, seconds: float) -> EmailMessage | None:
        last_moment = time.monotonic() + seconds
        while True:
            for name, letter in self._letters():
                if name not in self._read and letter[KIND_HEADER] == kind:
                    self._read.add(name)
                    return letter
            if time.monotonic() > last_moment:
                return None
            time.sleep(_POLL_SECONDS)

    def wait_for_notices(self, count: int, seconds: float) -> Counter[str]:
        """How many mails of each kind have come that hold no sign-in code, once there are `count` or time is up."""
        last_moment = time.monotonic() + seconds
        while True:
            kinds = Counter(str(letter[KIND_HEADER]) for _, letter in self._letters())
            del kinds[SIGN_IN_CODE]
            if kinds.total() >= count or time.monotonic() > last_moment:
                return kinds
            time.sleep(_POLL_SECONDS)

    def text(self) -> str:
        """All that the mails say, headers included, decoded."""
        return "\n".join(_all_text(letter) for _, letter in self._letters())

    def _letters(self) -> Iterator[tuple[str, EmailMessage]]:
        """Newest first: the names begin with the milliseconds of their writing."""
        for name in sorted(set(os.listdir(self._folder)) - self._before, reverse=True):
            if not name.endswith(".eml"):
                continue  # a mail half written
            letter = email.message_from_bytes((self._folder / name).read_bytes(), policy=email.policy.default)
            if str(letter["To"]).lower() == self._recipient.lower():
                yield name, letter


def newest_token(folder: Path, recipient: str, purpose: str, kind: str | None = None) -> str | None:
    """The token of the newest link of this purpose in the mails to the address; None if none of them has one."""
    inbox = Mailbox(folder, recipient, since_now=False)
    for _, letter in inbox._letters():
        token = _in_plain_part(letter, rf"^\S+/{purpose}\?token=(tfr_\S+)$")
        if token and kind in (None, letter[KIND_HEADER]):
            return token
    return None


def code_in(letter: EmailMessage) -> str | None:
    """The code, which stands alone on its line of the plain part."""
    return _in_plain_part(letter, r"^\s*(\d{6})\s*$")


def token_in(letter: EmailMessage) -> str | None:
    """The token of the link, which stands alone on its line of the plain part."""
    return _in_plain_part(letter, r"^\S+\?token=(tfr_\S+)$")


def _in_plain_part(letter: EmailMessage, form: str) -> str | None:
    plain = letter.get_body(("plain",))
    found = re.search(form, plain.get_content() if plain else "", re.MULTILINE)
    return found[1] if found else None


def _all_text(letter: EmailMessage) -> str:
    parts = [part.get_content() for part in letter.walk() if part.get_content_maintype() == "text"]
    return "\n".join([*(f"{name}: {value}" for name, value in letter.items()), *parts])


def token_typed(text: str) -> str | None:
    """The token of a mailed link, which is typed whole or alone; None for an e-mail address."""
    return None if "@" in text else text.rpartition("token=")[2]
