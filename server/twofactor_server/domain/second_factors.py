"""The account's second factor: one record that holds all that is true of it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

DISABLED_AFTER = 100
"""Consecutive failures that disable an authenticator until it is bound anew (NIST SP 800-63B §3.2.2)."""

FREE_FAILURES = 4
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)


class Method(StrEnum):
    """The active second factor."""

    EMAIL = "email"
    AUTHENTICATOR = "authenticator"


class Proof(StrEnum):
    """What proved a second factor."""

    EMAIL_CODE = "email_code"
    AUTHENTICATOR = "authenticator"
    BACKUP_CODE = "backup_code"


@dataclass(frozen=True, slots=True)
class Counter:
    """Consecutive failures of one method, and the moment until which no attempt of it is admitted."""

    failures: int = 0
    wait_until: datetime | None = None

    def charged(self, now: datetime) -> "Counter":
        """One failure more. The wait starts now; when it ends, one attempt is admitted."""
        failures = self.failures + 1
        wait = wait_after(failures)
        return Counter(failures, now + wait if wait else None)

    def waiting(self, now: datetime) -> timedelta | None:
        """How long the wait in force still lasts; None if there is none."""
        return self.wait_until - now if self.wait_until and self.wait_until > now else None


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """The row of ``second_factors``, as it was under its lock. The secret is sealed, the code is hashed."""

    account_id: UUID
    method: Method
    generation: int
    totp_secret: bytes | None
    last_step: int | None
    enable_time: datetime | None
    authenticator_disabled: bool
    backup_code_hash: str | None
    backup_code_create_time: datetime | None
    saved_time: datetime | None
    email_codes: Counter
    authenticator: Counter


@dataclass(frozen=True, slots=True)
class EarlierAuthenticator:
    """An authenticator that a change took away, as it was then; the secret is sealed."""

    totp_secret: bytes = field(repr=False)
    last_step: int | None
    enable_time: datetime | None
    failures: int
    disabled: bool


def wait_after(failures: int) -> timedelta | None:
    """None for failures 1-4, 30 s for the 5th, doubled by each further one up to 1 h (NIST SP 800-63B §3.2.2)."""
    if failures <= FREE_FAILURES:
        return None
    doublings = min(failures - FREE_FAILURES - 1, 7)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
