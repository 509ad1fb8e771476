"""What stands in the database: the rows of one account, reduced to what the protocol looks at.

Hashes, digests and times are left out; a code is a short name such as ``"2a"`` (generation 2) or ``"guess-1"``.
"""

from collections.abc import Iterator, Mapping
from itertools import takewhile
from typing import Any, Literal, NamedTuple

Code = str
Key = tuple[str | int, ...]
"""The table's name, then the primary key."""

FACTOR: Key = ("second_factors",)
ACCOUNT: Key = ("accounts",)

AUTHENTICATOR = "authenticator"
EMAIL = "email"


class Factor(NamedTuple):
    """The one row of ``second_factors``. ``code``: the backup code behind its hash. ``bound`` counts authenticators,
    as ``enable_time`` tells them apart on the server."""

    method: str
    generation: int
    code: Code | None
    saved: bool = False
    last_step: int = 0
    bound: int = 1


class Account(NamedTuple):
    """``accounts``: how often the password was changed, and the address; ``closed``: it is nobody's any more."""

    password_version: int = 1
    address: int = 1
    closed: bool = False
    has_password: bool = True


class Identity(NamedTuple):
    """``identities``, keyed by number, each at a provider of its own; a row that is deleted on the server is one that
    is not ``linked`` here."""

    linked: bool = True


class Challenge(NamedTuple):
    """``challenges``. ``over``: its ten minutes have passed; ``address``: the one that it was started for;
    ``begun_by``: the identity that did, 0 for the password."""

    attempts: int = 0
    completed: bool = False
    void: bool = False
    over: bool = False
    password_version: int = 1
    address: int = 1
    begun_by: int = 0


class Attempt(NamedTuple):
    """``backup_code_attempts``, keyed by challenge and code."""

    verdict: Literal["pending", "wrong", "used", "right"]


class Spent(NamedTuple):
    """``spent_backup_codes``, keyed by generation."""

    code: Code


class Session(NamedTuple):
    """``sessions``. ``opened_by``: a backup code, or "app" or "before"; ``shown``: the new code that came with it."""

    challenge: int
    opened_by: str
    shown: Code | None = None
    ended: bool = False


class Reply(NamedTuple):
    """``replies``, keyed by scope and request_id. ``erased`` says by what; None while it can be opened."""

    method: str
    content: str
    session: int
    code: Code | None
    generation: int | None
    erased: str | None = None


class Setup(NamedTuple):
    """``authenticator_setups``, keyed by number. ``session``: the one that began it; ``stale``: the app shows other
    digits by now than those typed."""

    session: int
    ended: bool = False
    stale: bool = False


class Link(NamedTuple):
    """``mailed_links``, keyed by number."""

    used: bool = False


Row = tuple[Any, ...]

_KNOWN: dict[tuple[tuple[Key, Row], ...], "Rows"] = {}


class Rows:
    """Everything that is committed. Equal contents are the same object, so that comparing is cheap."""

    __slots__ = ("_by_key", "items")

    items: tuple[tuple[Key, Row], ...]
    _by_key: dict[Key, Row]

    @staticmethod
    def of(by_key: Mapping[Key, Row]) -> "Rows":
        """The rows with this content."""
        items = tuple(sorted(by_key.items(), key=_order))
        known = _KNOWN.get(items)
        if known is None:
            known = _KNOWN[items] = Rows()
            known.items = items
            known._by_key = dict(items)
        return known

    def get(self, key: Key) -> Any:
        """The row, or None."""
        return self._by_key.get(key)

    def table(self, name: str) -> Iterator[tuple[Key, Any]]:
        """The rows of a table, in the order of their keys."""
        return ((key, row) for key, row in self.items if key[0] == name)

    def copy(self) -> dict[Key, Row]:
        """Rows to write on."""
        return dict(self._by_key)

    def written(self, writes: Mapping[Key, Row]) -> "Rows":
        """These rows with ``writes`` committed."""
        return Rows.of(self._by_key | dict(writes)) if writes else self


def forget() -> None:
    """Let go of every ``Rows`` made so far: memory, between two explorations."""
    _KNOWN.clear()


def generation_of(code: Code) -> int:
    """The number that a code's name begins with; 0 for a guess."""
    return int("".join(takewhile(str.isdigit, code)) or "0")


def _order(item: tuple[Key, Row]) -> tuple[str, ...]:
    return tuple(str(part) for part in item[0])
