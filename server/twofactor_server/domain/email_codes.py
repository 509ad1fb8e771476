"""E-mail codes: their life, what an owner may type, and the budget of mails."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from twofactor_server.domain.refusals import Reason, Refusal, invalid

DIGITS = 6
LIFETIME = timedelta(minutes=5)
"""Half of what NIST SP 800-63B §3.1.3.2 allows."""

SENDS_PER_CHALLENGE = 3
BUDGET_SPAN = timedelta(hours=1)
ACCOUNT_BUDGET = 10
PREFIX_BUDGET = 5


@dataclass(frozen=True, slots=True)
class EmailCode:
    """One mailed code of a challenge; ``number`` counts the challenge's sends from 1. Only the newest one works."""

    number: int
    mac: bytes
    key_id: str
    create_time: datetime
    request_id: UUID | None

    @property
    def expire_time(self) -> datetime:
        """The moment from which the code is refused."""
        return self.create_time + LIFETIME


def normalise(typed: str, field: str = "code") -> str:
    """The six digits that ``typed`` means; spaces and dashes do not matter. Anything else is INVALID_FIELD."""
    folded = unicodedata.normalize("NFKC", typed)
    kept = [c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Pd", "Cf")]
    if len(kept) != DIGITS or any(unicodedata.category(c) != "Nd" for c in kept):
        raise invalid(field, "six digits")
    return "".join(str(unicodedata.decimal(c)) for c in kept)


def next_send(*, sends: int, account: list[datetime], prefix: list[datetime], now: datetime) -> datetime | None:
    """When the next code may be mailed: ``now`` at the earliest, None if the challenge has none left.

    ``account`` and ``prefix`` are the times of the account's mails within the hour, oldest first.
    """
    if sends >= SENDS_PER_CHALLENGE:
        return None
    moment = now
    for times, budget in ((account, ACCOUNT_BUDGET), (prefix, PREFIX_BUDGET)):
        if len(times) >= budget:
            moment = max(moment, times[len(times) - budget] + BUDGET_SPAN)
    return moment


def check_send(moment: datetime | None, now: datetime, challenge_expire_time: datetime) -> None:
    """Refuse a mail that is not due yet. A challenge without sends left waits for the next challenge."""
    if moment is None:
        raise Refusal(Reason.DELIVERY_THROTTLED, retry_after=max(challenge_expire_time - now, timedelta(0)))
    if moment > now:
        raise Refusal(Reason.DELIVERY_THROTTLED, retry_after=moment - now)
