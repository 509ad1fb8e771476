"""What an owner may type for an e-mail code, how long it lives, and the budget of mails."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.characters import DASHES, SPACES, UNSEEN, ZEROS
from tests.domain.moments import INSTANT, NOON
from twofactor_server.domain.email_codes import EmailCode, check_send, next_send, normalise
from twofactor_server.domain.refusals import Reason, Refusal

MINUTE = timedelta(minutes=1)
IGNORED = DASHES + SPACES + UNSEEN


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """Six digits, and one of the ways in which somebody types them."""
    code = draw(st.text("0123456789", min_size=6, max_size=6))
    typed = ""
    for digit in code:
        typed += draw(st.text(st.sampled_from(IGNORED), max_size=2))
        typed += chr(draw(st.sampled_from(ZEROS)) + int(digit))
    return code, typed + draw(st.text(st.sampled_from(IGNORED), max_size=2))


@given(spellings())
def test_spaces_dashes_and_digits_of_any_script(spelling: tuple[str, str]) -> None:
    code, typed = spelling
    assert normalise(typed) == code


@pytest.mark.parametrize(
    "typed", ["", "12345", "1234567", "12345a", "o23456", "12345½", "123.456", "123456\0", "+12345"]
)
def test_anything_else_is_malformed(typed: str) -> None:
    with pytest.raises(Refusal) as caught:
        normalise(typed)
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_FIELD, "code")


def test_the_field_at_fault_is_the_one_that_was_read() -> None:
    with pytest.raises(Refusal) as caught:
        normalise("x", "reauthentication.authenticator_code")
    assert caught.value.field == "reauthentication.authenticator_code"


@given(st.text())
def test_whatever_is_typed_is_six_ascii_digits_or_malformed(typed: str) -> None:
    try:
        code = normalise(typed)
    except Refusal:
        return
    assert len(code) == 6
    assert code.isascii()
    assert code.isdigit()


def test_a_code_lives_five_minutes() -> None:
    code = EmailCode(number=1, mac=b"", key_id="1", create_time=NOON, request_id=None)
    assert code.expire_time == NOON + 5 * MINUTE


def mails(count: int, oldest: timedelta) -> list[datetime]:
    """The times of ``count`` mails, a second apart, oldest first; the oldest was ``oldest`` ago."""
    return [NOON - oldest + timedelta(seconds=i) for i in range(count)]


@pytest.mark.parametrize(
    ("sends", "account", "prefix", "expected"),
    [
        (0, 0, 0, NOON),
        (2, 9, 4, NOON),
        (3, 3, 3, None),  # the challenge has none left, whatever the budgets
        (3, 10, 5, None),
        (1, 10, 1, NOON + 20 * MINUTE),  # the account's oldest mail leaves its hour
        (1, 5, 5, NOON + 20 * MINUTE),  # and so does the network's
        (0, 11, 0, NOON + 20 * MINUTE + timedelta(seconds=1)),  # one too many: the second oldest must leave as well
    ],
)
def test_three_a_challenge_ten_an_account_and_hour_five_a_network(
    sends: int, account: int, prefix: int, expected: datetime | None
) -> None:
    """ "3 sends per challenge (StartSignIn's is the first), 10 per account and hour, half of that per prefix"."""
    oldest = 40 * MINUTE
    moment = next_send(sends=sends, account=mails(account, oldest), prefix=mails(prefix, oldest), now=NOON)
    assert moment == expected


@given(st.integers(0, 20), st.integers(0, 10), st.timedeltas(timedelta(minutes=1), timedelta(minutes=59)))
def test_the_next_send_is_due_when_both_budgets_have_a_place(account: int, prefix: int, oldest: timedelta) -> None:
    """Never before now; and at that moment, with the older mails gone, it is due at once; just before it is not."""
    to_account, from_prefix = mails(account, oldest), mails(prefix, oldest)
    moment = next_send(sends=0, account=to_account, prefix=from_prefix, now=NOON)
    assert moment is not None
    assert moment >= NOON

    def due_at(then: datetime) -> datetime | None:
        kept = [[mail for mail in mails if mail > then - timedelta(hours=1)] for mails in (to_account, from_prefix)]
        return next_send(sends=0, account=kept[0], prefix=kept[1], now=then)

    assert due_at(moment) == moment
    if moment > NOON:
        before = due_at(moment - INSTANT)
        assert before is not None
        assert before > moment - INSTANT


def test_a_mail_that_is_not_due_is_throttled_until_it_is() -> None:
    expire = NOON + 10 * MINUTE
    check_send(NOON, NOON, expire)
    with pytest.raises(Refusal) as caught:
        check_send(NOON + MINUTE, NOON, expire)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.DELIVERY_THROTTLED, MINUTE)


@pytest.mark.parametrize(("now", "wait"), [(NOON, 10 * MINUTE), (NOON + 11 * MINUTE, timedelta(0))])
def test_a_challenge_without_sends_waits_for_the_next_challenge(now: datetime, wait: timedelta) -> None:
    """And never for a negative time."""
    with pytest.raises(Refusal) as caught:
        check_send(None, now, NOON + 10 * MINUTE)
    assert (caught.value.reason, caught.value.retry_after) == (Reason.DELIVERY_THROTTLED, wait)
