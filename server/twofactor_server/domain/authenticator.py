"""Authenticator codes (TOTP, RFC 6238): which time steps are tried, and which one is accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from hmac import compare_digest
from uuid import UUID

from twofactor_server.domain import limits

STEP_SECONDS = 30
WINDOW = 1
"""Steps of drift accepted on either side (RFC 6238 §5.2, §6)."""


class Verdict(Enum):
    """RIGHT: a new step. REPLAYED: the code of a step at or before the last accepted one. WRONG: no step's code."""

    RIGHT = auto()
    REPLAYED = auto()
    WRONG = auto()


@dataclass(frozen=True, slots=True)
class AuthenticatorSetup:
    """A setup that waits for its first code. The secret is sealed, and erased when the setup ends."""

    setup_id: UUID
    session_id: UUID
    totp_secret: bytes
    attempts: int
    expire_time: datetime
    end_time: datetime | None

    def open(self, now: datetime) -> bool:
        """Whether it is not confirmed, cancelled, superseded, expired or out of attempts."""
        return self.end_time is None and now < self.expire_time and self.attempts < limits.ATTEMPTS_PER_SETUP


def steps_around(now: datetime) -> tuple[int, ...]:
    """The steps whose codes are accepted at ``now``: the current one and ``WINDOW`` on either side."""
    current = int(now.timestamp()) // STEP_SECONDS
    return tuple(range(current - WINDOW, current + WINDOW + 1))


def verify(typed: str, codes: Mapping[int, str], last_step: int | None) -> tuple[Verdict, int]:
    """The verdict on ``typed`` and the step that it matched (0 if none), given each step's code.

    All steps are compared in constant time. If several match, the newest counts: once it is accepted, a chance
    repetition of the code in an earlier step is refused.
    """
    matched = [step for step in sorted(codes) if compare_digest(codes[step], typed)]
    if not matched:
        return Verdict.WRONG, 0
    newest = matched[-1]
    if last_step is not None and newest <= last_step:
        return Verdict.REPLAYED, newest
    return Verdict.RIGHT, newest
