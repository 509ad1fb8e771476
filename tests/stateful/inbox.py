"""The mails of the accounts in play: looked for by name, so that a folder full of other mails costs nothing."""

import email
import email.policy
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from tests.servers import text_of

_CODE = re.compile(r"^(\d{6})$", re.MULTILINE)
_ADDRESS = re.compile(r"^IP address: +(\S+)$", re.MULTILINE)

_LINK = re.compile(r"/confirm-sign-in\?token=(\S+)$", re.MULTILINE)


@dataclass
class Letters:
    """What one address received. ``codes``: the e-mail codes, by the IP address that each mail names; ``links``: the
    tokens of the links that lift a suspension, oldest first."""

    kinds: Counter[str] = field(default_factory=Counter)
    codes: dict[str, str] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


class Inbox:
    """The mail folder. A mail that is delivered twice has one Message-ID, and counts once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen = set(os.listdir(folder))
        self._letters: dict[str, Letters] = {}

    def of(self, address: str) -> Letters:
        """What the address has received by now."""
        for name in sorted(set(os.listdir(self._folder)) - self._seen):
            if name.endswith(".eml"):
                self._seen.add(name)
                self._sort_in(self._folder / name)
        return self._letters.setdefault(address, Letters())

    def _sort_in(self, path: Path) -> None:
        mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        letters = self._letters.setdefault(str(mail["To"]), Letters())
        if mail["Message-ID"] in letters.ids:
            return
        letters.ids.add(mail["Message-ID"])
        letters.kinds[mail["X-Twofactor-Kind"]] += 1
        text = text_of(mail)
        if link := _LINK.search(text):
            letters.links.append(link[1])
        if code := _CODE.search(text):
            asked_from = _ADDRESS.search(text)
            assert asked_from
            letters.codes[asked_from[1]] = code[1]
