"""What may be typed for an e-mail code, how long it lives, and when the next one may be sent."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.characters import DASHES, INVISIBLE, SPACES, ZEROS
from tests.unit.domain.times import INSTANT, NOON
from twofactor_server.domain.email_codes import EmailCode, check_send, next_send, normalise
from twofactor_server.domain.refusals import InvalidValue, Reason, Refusal

MINUTE = timedelta(minutes=1)
IGNORED = DASHES + SPACES + INVISIBLE


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Six digits and one of the ways to type them."""
    code = draw(st.text("0123456789", min_size=6, max_size=6))
    typed = ""
    for digit in code:
        typed += draw(st.text(st.sampled_from(IGNORED), max_size=2))
        typed += chr(draw(st.sampled_from(ZEROS)) + int(digit))
    return code, typed + draw(st.text(st.sampled_from(IGNORED), max_size=2))


@given(spellings())
def test_spaces_and_dashes_are_ignored_and_digits_of_any_script_read(spelling: tuple[str, str]) -> None:
    code, typed = spelling
    assert normalise(typed) == code


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "12345a", "o23456", "12345½", "123.456", "123456\0", "+12345"]
)
def test_anything_else_is_malformed(typed: str) -> None:
    with pytest.raises(InvalidValue):
        normalise(typed)


@given(st.text())
def test_any_text_is_six_ascii_digits_or_malformed(typed: str) -> None:
    try:
        code = normalise(typed)
    except InvalidValue:
        return
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()


def test_a_code_lives_five_minutes() -> None:
    code = EmailCode(number=1, mac=b"", key_id="1", create_time=NOON, request_id=None)
    assert code.expire_time == NOON + 5 * MINUTE


def mails(count: int, oldest: timedelta) -> list[datetime]:
    """The times of ``count`` e-mails, one second apart, oldest first; the oldest is ``oldest`` ago."""
    return [NOON - oldest + timedelta(seconds=i) for i in range(count)]


@pytest.mark.parametrize(
    ("sends", "account", "network", "expected"),
    [
        (0, 0, 0, NOON),
        (2, 9, 4, NOON),
        (3, 3, 3, None),  # none left for the challenge
        (3, 10, 5, None),
        (1, 10, 1, NOON + 20 * MINUTE),  # the account's oldest e-mail leaves the hour
        (1, 5, 5, NOON + 20 * MINUTE),  # and the network's
        (0, 11, 0, NOON + 20 * MINUTE + timedelta(seconds=1)),  # one more than allowed: two must leave
    ],
)
def test_three_per_challenge_ten_per_account_and_hour_five_per_network(
    sends: int, account: int, network: int, expected: datetime | None
) -> None:
    oldest = 40 * MINUTE
    allowed = next_send(sends=sends, account=mails(account, oldest), network=mails(network, oldest), now=NOON)
    assert allowed == expected


@given(st.integers(0, 20), st.integers(0, 10), st.timedeltas(timedelta(minutes=1), timedelta(minutes=59)))
def test_the_next_code_may_be_sent_as_soon_as_both_budgets_have_room(
    account: int, network: int, oldest: timedelta
) -> None:
    to_account, from_network = mails(account, oldest), mails(network, oldest)
    moment = next_send(sends=0, account=to_account, network=from_network, now=NOON)
    assert moment is not None
    assert moment >= NOON

    def allowed_at(then: datetime) -> datetime | None:
        kept = [[mail for mail in mails if mail > then - timedelta(hours=1)] for mails in (to_account, from_network)]
        return next_send(sends=0, account=kept[0], network=kept[1], now=then)

    assert allowed_at(moment) == moment
    if moment > NOON:
        before = allowed_at(moment - INSTANT)
        assert before is not None
        assert before > moment - INSTANT


def test_a_code_that_may_not_be_sent_yet_is_throttled_until_then() -> None:
    expire = NOON + 10 * MINUTE
    check_send(NOON, NOON, expire)
    with pytest.raises(Refusal) as caught:
        check_send(NOON + MINUTE, NOON, expire)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.DELIVERY_THROTTLED, MINUTE)


@pytest.mark.parametrize(("now", "wait"), [(NOON, 10 * MINUTE), (NOON + 11 * MINUTE, timedelta(0))])
def test_without_codes_left_the_wait_lasts_until_the_challenge_expires(now: datetime, wait: timedelta) -> None:
    """It is never negative."""
    with pytest.raises(Refusal) as caught:
        check_send(None, now, NOON + 10 * MINUTE)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.DELIVERY_THROTTLED, wait)
