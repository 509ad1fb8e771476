"""What a new password must not be; and that nothing else is asked of it."""

import string
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.domain.accounts import normalise_password
from twofactor_server.domain.passwords import check_new_password, check_not_about, known_words
from twofactor_server.domain.refusals import Reason, Refusal


def rule(check: Callable[..., None], *arguments: str) -> str:
    """Why the password is refused; "" if it is not."""
    refused: list[Refusal] = []
    try:
        check(*arguments)
    except Refusal as refusal:
        refused.append(refusal)
    for said in refused:
        assert (said.reason, said.field, said.details) == (Reason.PASSWORD_REJECTED, "new_password", {})
    return refused[0].rule if refused else ""


def about(password: str, email: str = "mia.ohara@books.example", product: str = "Acme Hosting") -> str:
    return rule(check_not_about, password, "new_password", email, product)


def new(password: str) -> str:
    return rule(check_new_password, password, "new_password")


@pytest.mark.parametrize("password", ["", "x7$Kq", "x7$Kq!2", "äöüßéèà", "🐎🔋📎🔑🐎🔋📎"])
def test_seven_characters_are_too_few(password: str) -> None:
    """Counted in code points, not bytes: an emoji is one."""
    assert new(password) == "at least 8 characters"


def test_combining_marks_do_not_lengthen_a_password() -> None:
    """Seven letters, each with an accent of its own code point, are seven characters once composed."""
    letters = "".join(f"{letter}\N{COMBINING ACUTE ACCENT}" for letter in "aeiouyc")
    assert new(normalise_password(letters, "new_password")) == "at least 8 characters"


@pytest.mark.parametrize(
    "password",
    ["x7$Kq!2m", "🐎🔋📎🔑🐎🔋📎🎈", "correct horse battery staple", "a fine password", "qzvwxkjp", "94071738",
     "        x", "p" * 99 + "x", "ein langer Satz, den sich jeder merkt", "monkey8273645182"],
)  # fmt: skip
def test_no_kinds_of_characters_are_asked_for(password: str) -> None:
    """ "No composition rules": eight letters, eight digits, eight emoji will do, if nobody guesses them first."""
    assert new(password) == about(password) == ""


@pytest.mark.parametrize(
    "password",
    ["password", "Password", "PASSWORD1", "qwertyuiop", "iloveyou", "letmein1", "trustno1", "international",
     "p@ssw0rd", "Sunshine!", "dragon2024", "!!monkey!!", "mary1987", "Elizabeth"],
)  # fmt: skip
def test_what_is_known_is_refused(password: str) -> None:
    """ "Blocklist on set/change": common passwords, words and names, in any case, also with a year or marks around."""
    assert "well-known" in new(password)


def test_the_list_has_more_than_the_top_3000() -> None:
    """Each of the list's own entries that is long enough is refused, for one reason or another."""
    long_enough = [word for word in known_words() if len(word) >= 8]
    assert len(known_words()) > 90_000
    assert len(long_enough) > 3_000
    assert [word for word in long_enough if not new(word)] == []


@pytest.mark.parametrize(
    "password", ["password1password1", "abcdabcd", "aaaaaaaa", "é" * 512, "abc123" * 10, "ABCabcAbc"]
)
def test_repeating_does_not_make_it_longer(password: str) -> None:
    """ "Repetitions refused": what is said again is judged as if it were said once."""
    assert new(password)


def test_what_is_fine_once_is_fine_twice() -> None:
    assert new("x7$Kq!2m" * 2) == ""


@pytest.mark.parametrize(
    "password", ["abcdefgh", "hgfedcba", "12345678", "23456789", "98765432", "ABCDEFGHIJ", "абвгдежз"]
)
def test_rows_of_neighbours(password: str) -> None:
    assert new(password)


@pytest.mark.parametrize(
    "password",
    ["mia.ohara@books.example", "Mia.Ohara", "ohara1987", "!ohara!", "books2024", "books.example", "acme hosting",
     "AcmeHosting", "hosting1", "Hosting1Hosting1"],
)  # fmt: skip
def test_what_stands_on_the_page_is_refused(password: str) -> None:
    """ "Context words": the address, its parts, the product's name, also with digits or marks around them."""
    if password == "AcmeHosting":
        assert about(password, product="AcmeHosting") != ""
    else:
        assert about(password) == "not your address, a part of it or the name of this service"


def test_short_parts_of_an_address_bar_nothing() -> None:
    """The `j` of `j@x.test` stands in half of all passwords."""
    assert about("j12345!!", email="j@x.example", product="X") == ""


@given(st.text(string.printable, min_size=1, max_size=40))
def test_more_around_it_never_makes_a_good_password_bad(typed: str) -> None:
    """A password that passes goes on passing with eight random characters behind it."""
    if not new(typed):
        assert new(typed + "vK3#pZ8q") == ""
