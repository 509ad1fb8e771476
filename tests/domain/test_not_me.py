"""What a notice's link knows of its change, and what it may undo."""

from datetime import timedelta
from uuid import UUID

import pytest

from tests.domain.moments import NOON
from twofactor_server.domain import email_change
from twofactor_server.domain.not_me import (
    Undone,
    authenticator_changed,
    earlier_authenticator,
    factor_state,
    in_order,
    seen_by_the_same,
)
from twofactor_server.domain.refusals import Refusal
from twofactor_server.domain.second_factors import Counter, Method, SecondFactor

ACCOUNT = UUID("5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001")


def factor(secret: bytes | None, generation: int = 3, *, disabled: bool = False) -> SecondFactor:
    method = Method.AUTHENTICATOR if secret else Method.EMAIL
    failures = Counter(100 if disabled else 2)
    return SecondFactor(
        ACCOUNT, method, generation, secret, 42 if secret else None, NOON if secret else None, disabled, None, None,
        None, Counter(), failures,
    )  # fmt: skip


def test_states_are_told_apart() -> None:
    """Each authenticator from every other, and e-mail codes before from e-mail codes after one."""
    names = [factor_state(3, b"one"), factor_state(3, b"two"), factor_state(3, None), factor_state(4, None)]
    assert len(set(names)) == 4
    assert factor_state(9, b"one") == names[0]
    assert b"one".hex() not in names[0]


@pytest.mark.parametrize("disabled", [False, True])
def test_the_details_bring_an_authenticator_back_as_it_was(disabled: bool) -> None:
    details = authenticator_changed(factor(b"sealed", disabled=disabled), 4, b"new")
    assert (details["before"], details["after"]) == (factor_state(3, b"sealed"), factor_state(4, b"new"))
    earlier = earlier_authenticator(details, b"sealed")
    assert earlier is not None
    assert (earlier.totp_secret, earlier.last_step, earlier.enable_time) == (b"sealed", 42, NOON)
    assert (earlier.failures, earlier.disabled) == (100 if disabled else 2, disabled)
    assert b"sealed".hex() not in str(details)
    with pytest.raises(ValueError, match="keeps the secret"):
        earlier_authenticator(details, None)


def test_before_an_authenticator_there_were_email_codes() -> None:
    assert earlier_authenticator(authenticator_changed(factor(None), 4, b"new"), None) is None


@pytest.mark.parametrize(
    ("shown", "current", "spent", "made", "seen"),
    [
        (2, 2, set(), set(), True),
        (2, 3, set(), set(), False),
        (2, 3, {2}, set(), True),
        (2, 3, set(), {3}, True),
        (2, 5, {2, 4}, {4}, True),
        (2, 5, {2, 4}, set(), False),
        (2, 4, {3}, set(), False),
        (2, 3, {1, 3}, {2}, False),
        (4, 3, {3, 4}, {3, 4}, False),
    ],
)
def test_who_saw_one_code_saw_those_that_came_of_it(
    shown: int, current: int, spent: set[int], made: set[int], seen: bool
) -> None:
    """By use, or in the same session; a code between them that is neither was made by somebody else."""
    assert seen_by_the_same(shown, current, spent=spent, made=made) is seen


def test_what_was_done_is_told_in_the_order_of_the_contract() -> None:
    assert in_order([Undone.BACKUP_CODE_RETIRED, Undone.PASSWORD_CHANGED, Undone.SESSIONS_ENDED]) == [
        Undone.SESSIONS_ENDED,
        Undone.PASSWORD_CHANGED,
        Undone.BACKUP_CODE_RETIRED,
    ]


def test_three_links_an_hour() -> None:
    sent = [NOON - timedelta(minutes=minutes) for minutes in (50, 30, 10)]
    email_change.check_send(sent[:2], NOON)
    with pytest.raises(Refusal) as refused:
        email_change.check_send(sent, NOON)
    assert refused.value.retry_after == timedelta(minutes=10)
    with pytest.raises(Refusal) as refused:
        email_change.check_send([NOON - timedelta(minutes=55), *sent], NOON)
    assert refused.value.retry_after == timedelta(minutes=10)
