"""E-mail codes: what may be typed, and when the next one may be sent."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from twofactor_server.domain import limits
from twofactor_server.domain.refusals import InvalidValue, Reason, Refusal

DIGITS = 6


@dataclass(frozen=True, slots=True)
class EmailCode:
    """One code of a challenge. ``number`` counts the challenge's codes from 1; only the newest one works."""

    number: int
    mac: bytes
    key_id: str
    create_time: datetime
    request_id: UUID | None

    @property
    def expire_time(self) -> datetime:
        """The moment from which the code is refused."""
        return self.create_time + limits.EMAIL_CODE_LIFETIME


def normalise(typed: str) -> str:
    """The six digits in ``typed``; spaces and dashes are ignored. Anything else: InvalidValue."""
    folded = unicodedata.normalize("NFKC", typed)
    kept = [c for c in folded if not c.isspace() and unicodedata.category(c) not in ("Pd", "Cf")]
    if len(kept) != DIGITS or any(unicodedata.category(c) != "Nd" for c in kept):
        raise InvalidValue("six digits")
    return "".join(str(unicodedata.decimal(c)) for c in kept)


def next_send(*, sends: int, account: list[datetime], network: list[datetime], now: datetime) -> datetime | None:
    """When the next code may be sent: ``now`` at the earliest, None if the challenge has none left.

    ``account`` and ``network`` are the times of the account's codes within the hour, oldest first: all, and those
    requested from this network.
    """
    if sends >= limits.EMAIL_CODES_PER_CHALLENGE:
        return None
    return limits.next_allowed(
        now, (limits.EMAIL_CODES_PER_ACCOUNT, account), (limits.EMAIL_CODES_PER_NETWORK, network)
    )


def check_send(allowed: datetime | None, now: datetime, challenge_expire_time: datetime) -> None:
    """Refuse a code that may not be sent yet. Without codes left, it takes a new challenge."""
    if allowed is None:
        raise Refusal(Reason.DELIVERY_THROTTLED, retry_after=max(challenge_expire_time - now, timedelta(0)))
    if allowed > now:
        raise Refusal(Reason.DELIVERY_THROTTLED, retry_after=allowed - now)
