"""Links sent by mail. Each serves one purpose and is used once; the same use repeated gets the same answer."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from twofactor_server.domain import limits
from twofactor_server.domain.refusals import Reason, Refusal


class LinkPurpose(StrEnum):
    """What a link is for. The value is its path below the link base URL."""

    RESET_PASSWORD = "reset-password"  # noqa: S105 - a purpose, not a password
    CONFIRM_EMAIL = "confirm-email"
    UNDO = "not-me"
    UNLOCK = "confirm-sign-in"

    @property
    def lifetime(self) -> timedelta:
        """How long a link works."""
        return _LIFETIMES[self]


_LIFETIMES = {
    LinkPurpose.RESET_PASSWORD: limits.PASSWORD_RESET_LINK_LIFETIME,
    LinkPurpose.CONFIRM_EMAIL: limits.EMAIL_CHANGE_LINK_LIFETIME,
    LinkPurpose.UNDO: limits.UNDO_LINK_LIFETIME,
    LinkPurpose.UNLOCK: limits.UNLOCK_LINK_LIFETIME,
}


@dataclass(frozen=True, slots=True)
class MailedLink:
    """A row of ``mailed_links``. ``details`` describe the change and hold no secret; ``totp_secret`` is sealed."""

    account_id: UUID
    link_id: UUID
    purpose: LinkPurpose
    details: dict[str, Any]
    totp_secret: bytes | None
    create_time: datetime
    expire_time: datetime
    void_time: datetime | None
    use_time: datetime | None
    use_fingerprint: bytes | None

    def check_live(self, purpose: LinkPurpose, now: datetime) -> None:
        """Refuse a link for another purpose, an expired one and a void one. A used link passes."""
        if self.purpose is not purpose or self.void_time is not None or now >= self.expire_time:
            raise Refusal(Reason.LINK_INVALID)
