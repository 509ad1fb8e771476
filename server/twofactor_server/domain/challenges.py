"""A challenge: one sign-in that has passed its first factor and waits for its second factor."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from twofactor_server.domain import limits
from twofactor_server.domain.refusals import Reason, Refusal


class ChallengeState(StrEnum):
    """OPEN waits for a proof. The other states are final."""

    OPEN = "open"
    COMPLETED = "completed"
    EXPIRED = "expired"
    EXHAUSTED = "exhausted"


@dataclass(frozen=True, slots=True)
class Challenge:
    """A row of ``challenges``. ``email`` is the account's address when the challenge was made; its codes go there."""

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
        """From 0 to 5."""
        return max(0, limits.ATTEMPTS_PER_CHALLENGE - self.attempts)

    def state(self, now: datetime) -> ChallengeState:
        """COMPLETED before EXPIRED (out of time or voided) before EXHAUSTED, where several apply."""
        if self.complete_time is not None:
            return ChallengeState.COMPLETED
        if self.void_time is not None or now >= self.expire_time:
            return ChallengeState.EXPIRED
        return ChallengeState.EXHAUSTED if self.attempts_left == 0 else ChallengeState.OPEN

    def check_live(self, now: datetime) -> None:
        """Refuse a challenge that is completed, expired or void. Spent attempts are refused where one is charged."""
        match self.state(now):
            case ChallengeState.COMPLETED:
                raise Refusal(Reason.CHALLENGE_CONSUMED)
            case ChallengeState.EXPIRED:
                raise Refusal(Reason.CHALLENGE_EXPIRED)
