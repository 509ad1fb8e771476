"""The growing wait of guessed codes (NIST SP 800-63B §3.2.2)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.moments import INSTANT, NOON
from twofactor_server.domain.second_factors import DISABLED_AFTER, LONGEST_WAIT, Counter, wait_after

SCHEDULE = [(5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 960), (11, 1920), (12, 3600), (13, 3600), (100, 3600)]


@pytest.mark.parametrize("failures", range(5))
def test_the_first_four_failures_bring_no_wait(failures: int) -> None:
    assert wait_after(failures) is None


@pytest.mark.parametrize(("failures", "seconds"), SCHEDULE)
def test_the_fifth_brings_30_seconds_and_each_further_one_doubles_it_up_to_an_hour(failures: int, seconds: int) -> None:
    assert wait_after(failures) == timedelta(seconds=seconds)


@given(st.integers(0, 10**9))
def test_the_wait_never_shrinks_and_never_exceeds_an_hour(failures: int) -> None:
    shorter, longer = wait_after(failures) or timedelta(0), wait_after(failures + 1) or timedelta(0)
    assert shorter <= longer <= LONGEST_WAIT


def test_when_a_wait_ends_one_attempt_is_admitted() -> None:
    """The attempt is charged before it is judged, and its failure puts the next, longer wait in force."""
    counter = Counter()
    for _ in range(5):
        assert counter.waiting(NOON) is None
        counter = counter.charged(NOON)
    assert counter.waiting(NOON) == timedelta(seconds=30)
    end = NOON + timedelta(seconds=30)
    assert counter.waiting(end - INSTANT) == INSTANT
    assert counter.waiting(end) is None
    assert counter.charged(end).waiting(end) == timedelta(seconds=60)


def test_guessing_without_pause_is_slowed_to_about_a_guess_an_hour() -> None:
    """What 100 consecutive failures cost a guesser who never waits longer than asked: more than three days."""
    counter, now = Counter(), NOON
    while counter.failures < DISABLED_AFTER:
        now += counter.waiting(now) or timedelta(0)
        counter = counter.charged(now)
    assert now - NOON > timedelta(days=3)
