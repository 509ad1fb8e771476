"""Authenticator codes (TOTP, RFC 6238): the steps that are tried and the one that may be accepted."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from hmac import compare_digest
from uuid import UUID

STEP_SECONDS = 30
WINDOW = 1
"""Steps of drift accepted on either side (RFC 6238 §5.2, §6)."""

SETUP_LIFETIME = timedelta(minutes=10)
SETUP_ATTEMPTS = 5


class Verdict(Enum):
    """RIGHT: a fresh step. REPLAYED: a right code of a step at or before the last accepted one. WRONG: no step."""

    RIGHT = auto()
    REPLAYED = auto()
    WRONG = auto()


@dataclass(frozen=True, slots=True)
class AuthenticatorSetup:
    """A setup that waits for its first code. The secret is sealed, and emptied when the setup ends."""

    setup_id: UUID
    session_id: UUID
    totp_secret: bytes
    attempts: int
    expire_time: datetime
    end_time: datetime | None

    def open(self, now: datetime) -> bool:
        """Neither confirmed, cancelled, superseded, out of time, nor out of attempts."""
        return self.end_time is None and now < self.expire_time and self.attempts < SETUP_ATTEMPTS


def steps_around(now: datetime) -> tuple[int, ...]:
    """The steps whose codes are tried at ``now``: the current one and one on either side."""
    current = int(now.timestamp()) // STEP_SECONDS
    return tuple(range(current - WINDOW, current + WINDOW + 1))


def judge(typed: str, codes: Mapping[int, str], last_step: int | None) -> tuple[Verdict, int]:
    """The verdict on ``typed`` and the step it matched (0 if none), given each step's code.

    Every step is compared, in constant time, whatever matched before. Of several matching steps the newest
    fresh one counts, so that a chance repetition of a code cannot be used once more.
    """
    matched = [step for step in sorted(codes) if compare_digest(codes[step], typed)]
    if not matched:
        return Verdict.WRONG, 0
    newest = matched[-1]
    if last_step is not None and newest <= last_step:
        return Verdict.REPLAYED, newest
    return Verdict.RIGHT, newest
