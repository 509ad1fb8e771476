"""Links sent by mail: bound to one purpose, used once; the same use again is answered the same."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from twofactor_server.domain.refusals import Reason, Refusal


class Purpose(StrEnum):
    """What a link is for; the value is its path below the link base."""

    RESET_PASSWORD = "reset-password"  # noqa: S105 - a purpose, not a password
    CONFIRM_EMAIL = "confirm-email"
    NOT_ME = "not-me"
    CONFIRM_SIGN_IN = "confirm-sign-in"

    @property
    def lifetime(self) -> timedelta:
        """How long a link works after it was made."""
        return _LIFETIMES[self]


_LIFETIMES = {
    Purpose.RESET_PASSWORD: timedelta(hours=1),
    Purpose.CONFIRM_EMAIL: timedelta(hours=24),
    Purpose.NOT_ME: timedelta(days=7),
    Purpose.CONFIRM_SIGN_IN: timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class MailedLink:
    """The row of ``mailed_links``. ``details`` say what it speaks of and hold no secret; ``totp_secret`` is sealed."""

    account_id: UUID
    link_id: UUID
    purpose: Purpose
    details: dict[str, Any]
    totp_secret: bytes | None
    create_time: datetime
    expire_time: datetime
    void_time: datetime | None
    use_time: datetime | None
    use_fingerprint: bytes | None

    def check_live(self, purpose: Purpose, now: datetime) -> None:
        """Refuse a link of another purpose, one that is over, and one that something made void. A used one passes."""
        if self.purpose is not purpose or self.void_time is not None or now >= self.expire_time:
            raise Refusal(Reason.LINK_INVALID)
