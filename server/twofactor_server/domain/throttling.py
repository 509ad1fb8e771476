"""Throttling of first factors: it slows down guessing, and cannot be used from elsewhere to lock the owner out.

Failures are counted twice. Per e-mail address and network: consecutive failures bring the waits of ``CODE_BACKOFF``
for that network only. Per e-mail address from all networks: once the hour's budget is spent, networks from which no one
has signed in to the account lately are refused, but not the owner's own. Addresses without an account count alike.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from twofactor_server.domain import limits
from twofactor_server.domain.calls import Client
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Counter


@dataclass(frozen=True, slots=True)
class FirstFactorAttempt:
    """An admitted first factor. ``counter`` is as it was before; ``charged``: a failure was counted in advance."""

    subject: bytes
    network_prefix: str
    counter: Counter
    charged: bool


def subject_of(email: str) -> bytes:
    """A digest of the normalised address, under which failures are counted: the table does not show what was typed."""
    return hashlib.sha256(b"twofactor first factor\0" + email.encode()).digest()


def must_charge_first(counter: Counter) -> bool:
    """Whether the next attempt from this network is counted before the password is verified.

    From the fourth failure on, an attempt may bring a wait, so of several at once only one is admitted. Before that
    none is refused: several people of one network, or several windows of one person, may sign in at the same time.
    """
    return counter.failures >= limits.CODE_BACKOFF.free


def check_network(counter: Counter, now: datetime) -> None:
    """Refuse an attempt while its network has to wait."""
    if wait := counter.remaining_wait(now):
        raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=wait)


def is_known(client: Client, seen: Iterable[str]) -> bool:
    """Whether the client is in the network of one of these IP addresses."""
    return any(Client(address).network_prefix == client.network_prefix for address in seen)
