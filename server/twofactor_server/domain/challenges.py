"""A challenge: one sign-in that has passed its first factor and waits for the second."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from twofactor_server.domain.refusals import Reason, Refusal

LIFETIME = timedelta(minutes=10)
ATTEMPTS = 5
"""Attempts on one challenge, all methods together."""


class ChallengeState(StrEnum):
    """OPEN: waits for a proof. The other three are final."""

    OPEN = "open"
    COMPLETED = "completed"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Challenge:
    """The row of ``challenges``. ``email`` is frozen at the start: a changed address receives nothing of it."""

    account_id: UUID
    challenge_id: UUID
    caller: str
    email: str
    first_factor: str
    password_version: int
    remember_me: bool
    attempts: int
    create_time: datetime
    expire_time: datetime
    complete_time: datetime | None
    void_time: datetime | None

    @property
    def attempts_left(self) -> int:
        """How many attempts are left, never below 0."""
        return max(0, ATTEMPTS - self.attempts)

    def state(self, now: datetime) -> ChallengeState:
        """Completed outlasts everything; running out of time or being voided outranks spent attempts."""
        if self.complete_time is not None:
            return ChallengeState.COMPLETED
        if self.void_time is not None or now >= self.expire_time:
            return ChallengeState.EXPIRED
        return ChallengeState.EXHAUSTED if self.attempts_left == 0 else ChallengeState.OPEN

    def check_live(self, now: datetime) -> None:
        """Refuse a challenge that is completed, out of time or voided; spent attempts are the charge's business."""
        match self.state(now):
            case ChallengeState.COMPLETED:
                raise Refusal(Reason.CHALLENGE_CONSUMED)
            case ChallengeState.EXPIRED:
                raise Refusal(Reason.CHALLENGE_EXPIRED)
