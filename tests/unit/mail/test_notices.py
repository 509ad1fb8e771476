"""Notices survive a round trip through the outbox, and reject invalid values."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from tests.unit.mail.letters import (
    OWNER,
    TIME,
    account_notices,
    all_notices,
    backup_code_used,
    password_reset,
    sign_in_code,
)
from twofactor_server.mail.notices import AuthenticatorOff, Notice, SignInCode
from twofactor_server.mail.registry import KINDS, notice_from


@pytest.mark.parametrize("notice", [*all_notices(), *account_notices()], ids=lambda notice: notice.kind)
def test_a_notice_survives_a_json_round_trip(notice: Notice) -> None:
    assert notice_from(json.loads(json.dumps(notice.payload()))) == notice


def test_every_kind_is_registered() -> None:
    assert set(KINDS) == {
        "sign-in-code",
        "backup-code-used",
        "backup-code-regenerated",
        "authenticator-on",
        "authenticator-off",
        "password-changed",
        "password-reset",
        "second-factor-failed",
        "email-change",
        "email-in-use",
        "email-changed",
        "account-closed",
        "sign-in-suspended",
        "identity-linked",
        "identity-unlinked",
    }
    assert {notice.kind for notice in [*all_notices(), *account_notices()]} == set(KINDS)


def test_times_are_stored_in_utc() -> None:
    elsewhere = datetime(2026, 7, 2, 11, 5, tzinfo=timezone(timedelta(hours=2)))
    payload = AuthenticatorOff(recipient=OWNER, time=elsewhere).payload()
    assert payload["time"] == "2026-07-02T09:05:00+00:00"
    assert notice_from(payload).time == elsewhere


def test_unknown_fields_of_a_newer_release_are_ignored() -> None:
    payload = backup_code_used().payload() | {"mood": "cheerful"}
    assert notice_from(payload) == backup_code_used()


def test_an_unknown_kind_is_rejected() -> None:
    with pytest.raises(ValueError, match="weather-report"):
        notice_from({"kind": "weather-report", "recipient": OWNER, "time": TIME.isoformat()})


def test_a_time_without_a_zone_is_rejected() -> None:
    with pytest.raises(ValueError, match="timezone-aware"):
        AuthenticatorOff(recipient=OWNER, time=TIME.replace(tzinfo=None))


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "\uff11\uff12\uff13\uff14\uff15\uff16", "123456\n"])
def test_only_six_digits_are_a_code(code: str) -> None:
    with pytest.raises(ValueError, match="six digits"):
        replace(sign_in_code(), code=code)


def test_repr_hides_codes_tokens_and_addresses() -> None:
    shown = repr([sign_in_code(), password_reset()])
    assert "042137" not in shown
    assert "tfr_" not in shown
    assert OWNER not in shown


def test_notices_with_a_lifetime_know_their_expiry() -> None:
    assert sign_in_code().until == datetime(2026, 7, 2, 9, 10, 33, 250_000, tzinfo=UTC)
    assert backup_code_used().until == TIME + timedelta(days=1)


def test_only_the_sign_in_code_has_a_code_field() -> None:
    for notice in [*all_notices(), *account_notices()]:
        assert ("code" in notice.payload()) is isinstance(notice, SignInCode)
