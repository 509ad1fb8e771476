"""Waits after wrong first factors: they slow a guesser, and cannot be turned against the owner from elsewhere.

Counted twice. Per address and network: consecutive failures bring the waits of the second factor's methods, and only
that network waits. Per address over all networks: with the hour's budget spent, networks from which nobody has signed
in to the account lately wait too; the owner's own go on. An address without an account is counted alike.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from twofactor_server.domain.calls import Client
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import FREE_FAILURES, Counter

BUDGET = 100
"""Failures of one address within ``SPAN``, all networks together (OWASP ASVS 4.0, 2.2.1)."""

SPAN = timedelta(hours=1)

REMEMBERED = timedelta(days=30)
"""How long a network counts as the owner's after a session was active in it."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An admitted first factor. ``charged``: it was counted before it was judged."""

    subject: bytes
    network_prefix: str
    before: Counter
    charged: bool


def subject_of(email: str) -> bytes:
    """What stands for the normalised address where nobody should read which ones were typed."""
    return hashlib.sha256(b"twofactor first factor\0" + email.encode()).digest()


def charged_first(counter: Counter) -> bool:
    """Whether the next attempt of this network is counted before it is judged. From the fourth failure on each may
    bring a wait, and of those made at one moment only one is admitted. Before that none is refused: many people of one
    network, or many windows of one person, may be right at once."""
    return counter.failures >= FREE_FAILURES


def check_network(counter: Counter, now: datetime) -> None:
    """Refuse an attempt while its network waits."""
    if left := counter.waiting(now):
        raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=left)


def spent_until(times: Sequence[datetime], now: datetime) -> datetime | None:
    """Until when the address's budget is spent; None if it is not. ``times`` are its newest failures, oldest first."""
    if len(times) < BUDGET:
        return None
    until = times[-BUDGET] + SPAN
    return until if until > now else None


def is_known(client: Client, seen: Iterable[str]) -> bool:
    """Whether the client's network is that of one of these IP addresses."""
    return any(Client(address).network_prefix == client.network_prefix for address in seen)
