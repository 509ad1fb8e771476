"""The account's second factor: one record holds its whole state."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from twofactor_server.domain import limits


class Method(StrEnum):
    """The active second factor."""

    EMAIL = "email"
    AUTHENTICATOR = "authenticator"


class Proof(StrEnum):
    """What proved the second factor."""

    EMAIL_CODE = "email_code"
    AUTHENTICATOR = "authenticator"
    BACKUP_CODE = "backup_code"


@dataclass(frozen=True, slots=True)
class Counter:
    """Consecutive failures of one method, and until when no attempt is admitted."""

    failures: int = 0
    wait_until: datetime | None = None

    def after_failure(self, now: datetime) -> "Counter":
        """The counter after one more failure. Its wait starts now; when it ends, one attempt is admitted."""
        failures = self.failures + 1
        wait = limits.CODE_BACKOFF.wait_after(failures)
        return Counter(failures, now + wait if wait else None)

    def remaining_wait(self, now: datetime) -> timedelta | None:
        """How long the current wait still lasts; None without one."""
        return self.wait_until - now if self.wait_until and self.wait_until > now else None


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """A row of ``second_factors``. The secret is sealed, the backup code is hashed."""

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
    """An authenticator that was replaced or removed, as it was then. The secret is sealed."""

    totp_secret: bytes = field(repr=False)
    last_step: int | None
    enable_time: datetime | None
    failures: int
    disabled: bool
