"""Which time steps are tried, and which one is accepted (RFC 6238 §5.2, §6)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.times import INSTANT, NOON, times
from twofactor_server.domain.authenticator import AuthenticatorSetup, Verdict, steps_around, verify

CODES = {10: "000010", 11: "000011", 12: "000012"}
SETUP = AuthenticatorSetup(
    setup_id=UUID(int=1),
    session_id=UUID(int=2),
    totp_secret=b"sealed",
    attempts=0,
    expire_time=NOON + timedelta(minutes=10),
    end_time=None,
)


@given(times)
def test_the_current_step_and_one_on_either_side_are_tried(now: datetime) -> None:
    steps = steps_around(now)
    assert steps == (steps[1] - 1, steps[1], steps[1] + 1)
    begin = datetime.fromtimestamp(30 * steps[1], UTC)
    assert begin <= now < begin + timedelta(seconds=30)


def test_a_step_begins_with_its_first_instant() -> None:
    begin = datetime.fromtimestamp(1_111_111_110, UTC)
    assert steps_around(begin)[1] == 37_037_037
    assert steps_around(begin - INSTANT)[1] == 37_037_036


@pytest.mark.parametrize(
    ("typed", "last_step", "expected"),
    [
        ("000011", None, (Verdict.RIGHT, 11)),
        ("000010", 9, (Verdict.RIGHT, 10)),
        ("000012", 11, (Verdict.RIGHT, 12)),
        ("000011", 11, (Verdict.REPLAYED, 11)),
        ("000010", 11, (Verdict.REPLAYED, 10)),  # older after newer
        ("999999", None, (Verdict.WRONG, 0)),
        ("999999", 11, (Verdict.WRONG, 0)),
        ("", None, (Verdict.WRONG, 0)),
        ("0000111", None, (Verdict.WRONG, 0)),
    ],
)
def test_a_step_at_or_before_the_last_accepted_one_is_never_accepted(
    typed: str, last_step: int | None, expected: tuple[Verdict, int]
) -> None:
    assert verify(typed, CODES, last_step) == expected


@given(
    st.dictionaries(st.integers(0, 20), st.sampled_from(["111111", "222222"]), max_size=5),
    st.none() | st.integers(0, 20),
)
def test_of_several_matching_steps_the_newest_counts(codes: dict[int, str], last_step: int | None) -> None:
    """Two steps of the window may have the same code by chance. It is spent for both, so it works once."""
    verdict, step = verify("111111", codes, last_step)
    matching = [step for step, code in codes.items() if code == "111111"]
    if not matching:
        assert (verdict, step) == (Verdict.WRONG, 0)
        return
    assert step == max(matching)
    assert (verdict is Verdict.RIGHT) == (last_step is None or step > last_step)
    if verdict is Verdict.RIGHT:
        assert verify("111111", codes, step)[0] is Verdict.REPLAYED


def test_each_step_is_accepted_once_in_ascending_order() -> None:
    last: int | None = None
    verdicts = []
    for typed in ("000010", "000011", "000010", "000011"):
        verdict, step = verify(typed, CODES, last)
        verdicts.append(verdict)
        last = step if verdict is Verdict.RIGHT else last
    assert verdicts == [Verdict.RIGHT, Verdict.RIGHT, Verdict.REPLAYED, Verdict.REPLAYED]


@pytest.mark.parametrize(
    ("changed", "now", "is_open"),
    [
        ({}, NOON, True),
        ({"attempts": 4}, NOON, True),
        ({"attempts": 5}, NOON, False),
        ({"end_time": NOON}, NOON, False),
        ({}, NOON + timedelta(minutes=10) - INSTANT, True),
        ({}, NOON + timedelta(minutes=10), False),
    ],
)
def test_a_setup_is_open_for_ten_minutes_and_five_attempts(
    changed: dict[str, object], now: datetime, is_open: bool
) -> None:
    assert replace(SETUP, **changed).open(now) is is_open  # type: ignore[arg-type]
