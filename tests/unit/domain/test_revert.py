"""What the link in a notice records of its change, and what it may revert."""

from uuid import UUID

import pytest

from tests.unit.domain.times import NOON
from twofactor_server.domain.revert import (
    RevertedChange,
    authenticator_change,
    earlier_authenticator,
    factor_state,
    in_contract_order,
    same_recipient,
)
from twofactor_server.domain.second_factors import Counter, Method, SecondFactor

ACCOUNT = UUID("5b1f9d0e-58d5-4bb4-8a52-f4d7d1b1a001")


def factor(secret: bytes | None, generation: int = 3, *, disabled: bool = False) -> SecondFactor:
    method = Method.AUTHENTICATOR if secret else Method.EMAIL
    failures = Counter(100 if disabled else 2)
    return SecondFactor(
        ACCOUNT, method, generation, secret, 42 if secret else None, NOON if secret else None, disabled, None, None,
        None, Counter(), failures,
    )  # fmt: skip


def test_different_states_have_different_names() -> None:
    names = [factor_state(3, b"one"), factor_state(3, b"two"), factor_state(3, None), factor_state(4, None)]
    assert len(set(names)) == 4
    assert factor_state(9, b"one") == names[0]
    assert b"one".hex() not in names[0]


@pytest.mark.parametrize("disabled", [False, True])
def test_the_details_restore_an_authenticator_as_it_was(disabled: bool) -> None:
    details = authenticator_change(factor(b"sealed", disabled=disabled), 4, b"new")
    assert (details["before"], details["after"]) == (factor_state(3, b"sealed"), factor_state(4, b"new"))
    earlier = earlier_authenticator(details, b"sealed")
    assert earlier is not None
    assert (earlier.totp_secret, earlier.last_step, earlier.enable_time) == (b"sealed", 42, NOON)
    assert (earlier.failures, earlier.disabled) == (100 if disabled else 2, disabled)
    assert b"sealed".hex() not in str(details)
    with pytest.raises(ValueError, match="keeps the earlier secret"):
        earlier_authenticator(details, None)


def test_before_the_first_authenticator_the_account_was_on_email_codes() -> None:
    assert earlier_authenticator(authenticator_change(factor(None), 4, b"new"), None) is None


@pytest.mark.parametrize(
    ("shown", "current", "spent", "in_session", "same"),
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
def test_a_code_and_its_replacements_were_shown_to_the_same_person(
    shown: int, current: int, spent: set[int], in_session: set[int], same: bool
) -> None:
    """By use, or in the same session. A code in between that is neither was shown to someone else."""
    assert same_recipient(shown, current, spent=spent, shown_in_session=in_session) is same


def test_reverted_changes_are_in_the_order_of_the_contract() -> None:
    assert in_contract_order(
        [RevertedChange.BACKUP_CODE_RETIRED, RevertedChange.PASSWORD_CHANGED, RevertedChange.SESSIONS_ENDED]
    ) == [
        RevertedChange.SESSIONS_ENDED,
        RevertedChange.PASSWORD_CHANGED,
        RevertedChange.BACKUP_CODE_RETIRED,
    ]
