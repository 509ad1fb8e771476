"""What may be typed for a backup code, and the budget of wrong ones."""

# ruff: noqa: RUF001 - characters that look like others are what this file is about

import string
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.domain.characters import DASHES, INVISIBLE, MINUSES, SPACES, ZEROS
from tests.unit.domain.times import INSTANT, NOON
from twofactor_server.domain.backup_codes import ALPHABET, LENGTH, check_budget, grouped, normalise
from twofactor_server.domain.refusals import InvalidValue, Reason, Refusal

LOOK_ALIKES = {"0": "oO", "1": "iIlL"}
LETTER_FORMS = {
    # The first letter of each alphabet that NFKC folds: full-width, mathematical (bold, monospace …), circled.
    "a": [0xFF41, 0x1D41A, 0x1D5BA, 0x1D68A, 0x24D0],
    "A": [0xFF21, 0x1D400, 0x1D5A0, 0x1D670, 0x24B6],
}

codes = st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH)
separators = st.text(st.sampled_from(DASHES + SPACES + INVISIBLE + MINUSES), max_size=3)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """A code and one of the many ways to type it."""
    code = draw(codes)
    typed = draw(separators)
    for symbol in code:
        typed += draw(st.sampled_from(_forms(symbol))) + draw(separators)
    return code, typed


def _forms(symbol: str) -> list[str]:
    if symbol.isdigit():
        digits = [chr(zero + int(symbol)) for zero in ZEROS]
        return digits + [form for plain in LOOK_ALIKES.get(symbol, "") for form in (plain, *_lettered(plain))]
    return [form for plain in (symbol, symbol.upper()) for form in (plain, *_lettered(plain))]


def _lettered(letter: str) -> list[str]:
    first = "a" if letter.islower() else "A"
    return [chr(start + ord(letter) - ord(first)) for start in LETTER_FORMS[first]]


@given(spellings())
def test_spacing_dashes_case_look_alikes_and_unicode_forms_do_not_matter(spelling: tuple[str, str]) -> None:
    code, typed = spelling
    assert normalise(typed) == code


@pytest.mark.parametrize(
    "typed",
    [
        "abcd 1234 ef56 7890",
        "ABCD1234EF567890",
        "abcd-1234-ef56-7890",
        "abcd–1234—ef56−7890",
        "\tabcd\t1234\u00a0ef56\u20097890\n",
        "abcd 1234 ef56 789o",
        "abcd I234 ef56 789O",
        "abcd l234 ef56 7890",
        "ａｂｃｄ　１２３４　ｅｆ５６　７８９０",
        "𝐚𝐛𝐜𝐝 𝟏𝟐𝟑𝟒 𝖊𝖋𝟧𝟨 𝟽𝟾𝟿𝟶",
        "abcd ١٢٣٤ ef٥٦ ٧٨٩٠",
        "a\u00adb\u200bc\u200dd\ufeff1234ef567890",
    ],
)
def test_spellings_of_the_articles_example(typed: str) -> None:
    assert normalise(typed) == "abcd1234ef567890"


@pytest.mark.parametrize(
    "typed",
    [
        "",
        " ",
        "abcd 1234 ef56 789",
        "abcd 1234 ef56 78900",
        "abcd 1234 ef56 789u",  # Crockford leaves out u
        "abcd 1234 ef56 789_",
        "abcd.1234.ef56.7890",
        "abcd/1234/ef56/7890",
        "äbcd 1234 ef56 7890",
        "abcd 1234 ef56 789а",  # the last letter is Cyrillic
        "abcd 1234 ef56 789\N{COMBINING GRAVE ACCENT}",
        "abcd 1234 ef56 7890\0",
        "4 groups of 4 symbols",
    ],
)
def test_anything_else_is_malformed(typed: str) -> None:
    with pytest.raises(InvalidValue):
        normalise(typed)


@given(st.text() | st.text(string.ascii_letters + string.digits + " -_", min_size=14, max_size=20))
def test_any_text_is_a_code_or_malformed_and_normalising_is_idempotent(typed: str) -> None:
    code = normalised(typed)
    if code is not None:
        assert len(code) == LENGTH
        assert set(code) <= set(ALPHABET)
        assert normalise(code) == code


def test_the_error_does_not_repeat_what_was_typed() -> None:
    with pytest.raises(InvalidValue) as caught:
        normalise("qrst 9876 wxyz 543!")
    assert "9876" not in repr(caught.value)


def normalised(typed: str) -> str | None:
    """The code; None if it is malformed."""
    try:
        return normalise(typed)
    except InvalidValue:
        return None


@given(codes)
def test_the_shown_form_is_four_groups_of_four_and_can_be_typed(code: str) -> None:
    shown = grouped(code)
    assert [len(group) for group in shown.split(" ")] == [4, 4, 4, 4]
    assert normalise(shown) == code


def test_the_alphabet_is_crockfords() -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 32
    assert set(string.digits + string.ascii_lowercase) - set(ALPHABET) == set("ilou")


def times(count: int, oldest: timedelta) -> list[datetime]:
    """``count`` times within the hour, oldest first; the oldest is ``oldest`` ago."""
    return [NOON - oldest + INSTANT * i for i in range(count)]


@pytest.mark.parametrize(
    ("account", "network", "admitted"),
    [(80, 30, True), (81, 1, False), (31, 31, False), (80, 31, False), (1, 1, True)],
)
def test_80_distinct_wrong_codes_per_account_and_30_per_network(account: int, network: int, admitted: bool) -> None:
    minute = timedelta(minutes=1)
    arguments = {"account": times(account, minute), "network": times(network, minute), "now": NOON}
    if admitted:
        check_budget(**arguments)  # type: ignore[arg-type]
        return
    with pytest.raises(Refusal) as caught:
        check_budget(**arguments)  # type: ignore[arg-type]
    assert caught.value.reason is Reason.ATTEMPTS_THROTTLED


@given(st.integers(0, 3), st.timedeltas(INSTANT, timedelta(minutes=59)))
def test_the_wait_ends_when_the_budget_has_room_again(surplus: int, oldest: timedelta) -> None:
    tried = times(81 + surplus, oldest)
    with pytest.raises(Refusal) as caught:
        check_budget(account=tried, network=[], now=NOON)
    assert caught.value.retry_after is not None
    later = NOON + caught.value.retry_after
    remaining = [time for time in tried if time > later - timedelta(hours=1)]
    assert len(remaining) == 80
