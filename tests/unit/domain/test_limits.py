"""Budgets and growing waits."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.times import INSTANT, NOON
from twofactor_server.domain import limits
from twofactor_server.domain.limits import Budget, next_allowed
from twofactor_server.domain.second_factors import Counter

SCHEDULE = [(5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 960), (11, 1920), (12, 3600), (13, 3600), (100, 3600)]
BUDGET = Budget(3, timedelta(hours=1))


def ago(*minutes: int) -> list[datetime]:
    return [NOON - timedelta(minutes=each) for each in minutes]


@pytest.mark.parametrize("failures", range(5))
def test_the_first_four_failures_bring_no_wait(failures: int) -> None:
    assert limits.CODE_BACKOFF.wait_after(failures) is None


@pytest.mark.parametrize(("failures", "seconds"), SCHEDULE)
def test_the_fifth_failure_brings_30_seconds_and_each_further_one_doubles_it(failures: int, seconds: int) -> None:
    assert limits.CODE_BACKOFF.wait_after(failures) == timedelta(seconds=seconds)


@given(st.integers(0, 10**9))
def test_the_wait_never_shrinks_and_never_exceeds_an_hour(failures: int) -> None:
    wait_after = limits.CODE_BACKOFF.wait_after
    shorter, longer = wait_after(failures) or timedelta(0), wait_after(failures + 1) or timedelta(0)
    assert shorter <= longer <= timedelta(hours=1)


def test_when_a_wait_ends_one_attempt_is_admitted() -> None:
    counter = Counter()
    for _ in range(5):
        assert counter.remaining_wait(NOON) is None
        counter = counter.after_failure(NOON)
    assert counter.remaining_wait(NOON) == timedelta(seconds=30)
    end = NOON + timedelta(seconds=30)
    assert counter.remaining_wait(end - INSTANT) == INSTANT
    assert counter.remaining_wait(end) is None
    assert counter.after_failure(end).remaining_wait(end) == timedelta(seconds=60)


def test_disabling_an_authenticator_takes_a_guesser_more_than_three_days() -> None:
    counter, now = Counter(), NOON
    while counter.failures < limits.AUTHENTICATOR_DISABLED_AFTER:
        now += counter.remaining_wait(now) or timedelta(0)
        counter = counter.after_failure(now)
    assert now - NOON > timedelta(days=3)


@pytest.mark.parametrize(
    ("times", "allowed"),
    [
        ([], NOON),
        (ago(50, 30), NOON),
        (ago(50, 30, 10), NOON + timedelta(minutes=10)),
        (ago(55, 50, 30, 10), NOON + timedelta(minutes=10)),  # one more than allowed: two must leave the hour
        (ago(60, 30, 10), NOON),
    ],
)
def test_a_budget_has_room_again_when_its_oldest_event_leaves_the_span(
    times: list[datetime], allowed: datetime
) -> None:
    assert next_allowed(NOON, (BUDGET, times)) == allowed


def test_the_fullest_of_several_budgets_decides() -> None:
    assert next_allowed(NOON, (BUDGET, ago(50, 30, 20)), (BUDGET, ago(40, 30, 20))) == NOON + timedelta(minutes=20)


@given(st.lists(st.integers(0, 90), max_size=8).map(lambda minutes: ago(*sorted(minutes, reverse=True))))
def test_no_span_ever_holds_more_events_than_the_budget(times: list[datetime]) -> None:
    """At the moment that ``next_allowed`` returns, and not an instant earlier, fewer than 3 events are in the hour."""

    def in_span(moment: datetime) -> int:
        return sum(time > moment - BUDGET.span for time in times)

    allowed = next_allowed(NOON, (BUDGET, times))
    assert in_span(allowed) < BUDGET.count
    if allowed > NOON:
        assert in_span(allowed - INSTANT) >= BUDGET.count
