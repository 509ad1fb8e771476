"""When a session has ended, what it proves, and which assertions re-authenticate."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from tests.unit.domain.times import INSTANT, NOON, SECOND
from twofactor_server.domain.calls import Client
from twofactor_server.domain.first_factors import Assertion
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.domain.sessions import Session, SessionLimits

ACCOUNT = UUID(int=1)
LIMITS = SessionLimits()
SESSION = Session(
    account_id=ACCOUNT,
    session_id=UUID(int=2),
    email="mia@example.test",
    first_factor="password",
    proof=Proof.EMAIL_CODE,
    proof_time=NOON,
    client=Client(),
    create_time=NOON,
    expire_time=NOON + LIMITS.lifetime,
    last_active_time=NOON,
    end_time=None,
)


REMEMBERED = replace(SESSION, remembered=True, expire_time=NOON + LIMITS.remembered_lifetime)


def test_sessions_last_24_hours_and_one_hour_idle() -> None:
    assert SessionLimits(timedelta(hours=24), timedelta(hours=1)) == LIMITS


def test_remembered_sessions_last_7_days_and_three_days_idle() -> None:
    assert (LIMITS.remembered_lifetime, LIMITS.remembered_idle) == (timedelta(days=7), timedelta(days=3))
    assert (LIMITS.lifetime_of(remembered=True), LIMITS.idle_of(remembered=True)) == (
        timedelta(days=7), timedelta(days=3)
    )  # fmt: skip
    assert (LIMITS.lifetime_of(remembered=False), LIMITS.idle_of(remembered=False)) == (LIMITS.lifetime, LIMITS.idle)


@pytest.mark.parametrize(
    ("session", "now", "live"),
    [
        (SESSION, NOON, True),
        (SESSION, NOON + LIMITS.idle - INSTANT, True),
        (SESSION, NOON + LIMITS.idle, False),
        (replace(SESSION, last_active_time=NOON + timedelta(hours=23, minutes=59)), SESSION.expire_time, False),
        (
            replace(SESSION, last_active_time=NOON + timedelta(hours=23, minutes=59)),
            SESSION.expire_time - INSTANT,
            True,
        ),
        (replace(SESSION, end_time=NOON), NOON, False),
        (REMEMBERED, NOON + LIMITS.remembered_idle - INSTANT, True),
        (REMEMBERED, NOON + LIMITS.remembered_idle, False),
        (replace(REMEMBERED, last_active_time=NOON + timedelta(days=6)), REMEMBERED.expire_time - INSTANT, True),
        (replace(REMEMBERED, last_active_time=NOON + timedelta(days=6)), REMEMBERED.expire_time, False),
        (replace(REMEMBERED, end_time=NOON), NOON, False),
    ],
)
def test_a_session_ends_when_it_is_ended_expired_or_idle_too_long(session: Session, now: datetime, live: bool) -> None:
    assert session.live(now, LIMITS) is live
    if live:
        session.check_live(now, LIMITS)
        return
    with pytest.raises(Refusal) as caught:
        session.check_live(now, LIMITS)
    assert caught.value.reason is Reason.SESSION_ENDED


# The registry of "Authentication Method Reference Values".
REGISTERED = {
    "face",
    "fpt",
    "geo",
    "hwk",
    "iris",
    "kba",
    "mca",
    "mfa",
    "otp",
    "pin",
    "pop",
    "pwd",
    "rba",
    "retina",
    "sc",
    "sms",
    "swk",
    "tel",
    "user",
    "vbm",
    "wia",
}


@pytest.mark.parametrize(
    ("first_factor", "proof", "methods"),
    [
        ("password", Proof.EMAIL_CODE, ("pwd", "otp", "urn:twofactor:email")),
        ("password", Proof.AUTHENTICATOR, ("pwd", "otp", "mfa")),
        ("password", Proof.BACKUP_CODE, ("pwd", "otp", "urn:twofactor:backup", "mfa")),
        ("asserted", Proof.EMAIL_CODE, ("otp", "urn:twofactor:email")),
        ("asserted", Proof.AUTHENTICATOR, ("otp", "mfa")),
        ("asserted", Proof.BACKUP_CODE, ("otp", "urn:twofactor:backup", "mfa")),
    ],
)
def test_methods_are_rfc_8176_values_or_our_own_urns(first_factor: str, proof: Proof, methods: tuple[str, ...]) -> None:
    """`mfa` for authenticator and backup code only: a mailbox is not a second factor in the sense of the RFC."""
    proved = replace(SESSION, first_factor=first_factor, proof=proof).methods
    assert proved == methods
    assert {method for method in proved if not method.startswith("urn:twofactor:")} <= REGISTERED


@pytest.mark.parametrize(
    ("proof", "method", "passed"),
    [
        (Proof.EMAIL_CODE, Method.EMAIL, True),
        (Proof.EMAIL_CODE, Method.AUTHENTICATOR, False),  # turned on from another session after this one began
        (Proof.AUTHENTICATOR, Method.AUTHENTICATOR, True),
        (Proof.BACKUP_CODE, Method.AUTHENTICATOR, True),
        (Proof.AUTHENTICATOR, Method.EMAIL, True),
        (Proof.BACKUP_CODE, Method.EMAIL, True),
    ],
)
def test_a_session_passed_the_active_method_or_a_stronger_one(proof: Proof, method: Method, passed: bool) -> None:
    assert replace(SESSION, proof=proof).passed(method) is passed


def test_a_second_factor_counts_as_recent_for_ten_minutes() -> None:
    assert SESSION.proved_recently(NOON + timedelta(minutes=10))
    assert not SESSION.proved_recently(NOON + timedelta(minutes=10) + INSTANT)


@pytest.mark.parametrize(
    ("auth_time", "recent"),
    [
        (NOON, True),
        (NOON - timedelta(minutes=10), True),
        (NOON - timedelta(minutes=10) - INSTANT, False),
        (NOON + 2 * SECOND, True),  # another machine's clock
        (NOON + 2 * SECOND + INSTANT, False),
    ],
)
def test_an_assertion_is_at_most_ten_minutes_old_and_not_in_the_future(auth_time: datetime, recent: bool) -> None:
    assert Assertion(ACCOUNT, auth_time).recent(NOON) is recent


OLD = Assertion(ACCOUNT, NOON - timedelta(minutes=11))


@pytest.mark.parametrize(
    ("given", "may_assert", "reason"),
    [
        (Reauthentication(password="x"), False, None),
        (Reauthentication(asserted=Assertion(ACCOUNT, NOON)), True, None),
        (Reauthentication(asserted=Assertion(ACCOUNT, NOON)), False, Reason.CALLER_NOT_ALLOWED),
        (Reauthentication(asserted=Assertion(UUID(int=9), NOON)), True, Reason.REAUTHENTICATION_FAILED),
        (Reauthentication(asserted=OLD), True, Reason.REAUTHENTICATION_REQUIRED),
        (Reauthentication(asserted=OLD), False, Reason.CALLER_NOT_ALLOWED),  # the role is checked first
    ],
)
def test_an_assertion_counts_from_a_permitted_caller_for_this_account_only(
    given: Reauthentication, may_assert: bool, reason: Reason | None
) -> None:
    if reason is None:
        given.check_assertion(ACCOUNT, NOON, may_assert=may_assert)
        return
    with pytest.raises(Refusal) as caught:
        given.check_assertion(ACCOUNT, NOON, may_assert=may_assert)
    assert caught.value.reason is reason


def test_the_repr_of_a_reauthentication_hides_secrets() -> None:
    given = Reauthentication(password="correct horse", authenticator_code="123456")
    assert "horse" not in repr(given)
    assert "123456" not in repr(given)
