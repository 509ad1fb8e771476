"""The states of a challenge, and which one applies where several could."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from tests.unit.domain.times import INSTANT, NOON
from twofactor_server.domain.challenges import Challenge, ChallengeState
from twofactor_server.domain.limits import CHALLENGE_LIFETIME
from twofactor_server.domain.refusals import Reason, Refusal

END = NOON + CHALLENGE_LIFETIME
FRESH = Challenge(
    account_id=UUID(int=1),
    challenge_id=UUID(int=2),
    caller="local",
    email="mia@example.test",
    first_factor="password",
    password_version=1,
    remember_me=False,
    attempts=0,
    create_time=NOON,
    expire_time=END,
    complete_time=None,
    void_time=None,
)
SPENT = replace(FRESH, attempts=5)
VOIDED = replace(FRESH, void_time=NOON)
COMPLETED = replace(FRESH, complete_time=NOON)


@pytest.mark.parametrize(
    ("challenge", "now", "state"),
    [
        (FRESH, NOON, ChallengeState.OPEN),
        (FRESH, END - INSTANT, ChallengeState.OPEN),
        (FRESH, END, ChallengeState.EXPIRED),
        (VOIDED, NOON, ChallengeState.EXPIRED),
        (SPENT, NOON, ChallengeState.EXHAUSTED),
        (SPENT, END, ChallengeState.EXPIRED),
        (replace(SPENT, void_time=NOON), NOON, ChallengeState.EXPIRED),
        (COMPLETED, NOON, ChallengeState.COMPLETED),
        (COMPLETED, END + timedelta(days=1), ChallengeState.COMPLETED),
        (replace(COMPLETED, attempts=5, void_time=NOON), END, ChallengeState.COMPLETED),
    ],
)
def test_completed_comes_before_expired_before_exhausted(
    challenge: Challenge, now: datetime, state: ChallengeState
) -> None:
    assert challenge.state(now) is state


@pytest.mark.parametrize(
    ("challenge", "reason"),
    [
        (FRESH, None),
        (SPENT, None),  # refused where an attempt is charged, under the lock
        (VOIDED, Reason.CHALLENGE_EXPIRED),
        (COMPLETED, Reason.CHALLENGE_CONSUMED),
    ],
)
def test_a_challenge_that_is_not_live_is_refused(challenge: Challenge, reason: Reason | None) -> None:
    if reason is None:
        challenge.check_live(NOON)
        return
    with pytest.raises(Refusal) as caught:
        challenge.check_live(NOON)
    assert caught.value.reason is reason


def test_five_attempts_all_methods_together() -> None:
    assert [replace(FRESH, attempts=spent).attempts_left for spent in range(7)] == [5, 4, 3, 2, 1, 0, 0]
