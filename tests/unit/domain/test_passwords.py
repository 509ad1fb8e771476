"""What a new password must not be, and that there are no other rules."""

import string
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.domain.passwords import check_context_specific, check_strength, common_words, normalise_password
from twofactor_server.domain.refusals import InvalidValue, Reason, Refusal


def broken_rule(check: Callable[..., None], *arguments: str) -> str:
    """The rule that the password breaks; "" if it is accepted."""
    try:
        check(*arguments)
    except Refusal as refusal:
        assert (refusal.reason, refusal.details) == (Reason.PASSWORD_REJECTED, {})  # noqa: PT017
        return refusal.rule
    return ""


def context_rule(password: str, email: str = "mia.ohara@books.example", product: str = "Acme Hosting") -> str:
    return broken_rule(check_context_specific, password, email, product)


def strength_rule(password: str) -> str:
    return broken_rule(check_strength, password)


def test_a_password_is_normalised_to_nfc_and_never_shortened() -> None:
    """NIST SP 800-63B §3.1.1.2."""
    assert normalise_password("  spaces stay  ") == "  spaces stay  "
    assert normalise_password("pa\N{COMBINING DIAERESIS}ss") == "päss"
    assert normalise_password("🐎🔋📎🔑") == "🐎🔋📎🔑"
    long = "x" * 99
    assert normalise_password(f"{long}a") != normalise_password(f"{long}b")


@given(st.text(min_size=1, max_size=60))
def test_composed_and_decomposed_forms_are_one_password(typed: str) -> None:
    composed, decomposed = (normalise_password(unicodedata.normalize(form, typed)) for form in ("NFC", "NFD"))
    assert composed == decomposed == normalise_password(typed)


@pytest.mark.parametrize(
    ("password", "accepted"),
    [("", False), ("x", True), ("x" * 1024, True), ("x" * 1025, False), ("ü" * 512, True), ("ü" * 512 + "x", False)],
)
def test_a_password_has_1_to_1024_bytes(password: str, accepted: bool) -> None:
    if accepted:
        assert normalise_password(password) == password
        return
    with pytest.raises(InvalidValue):
        normalise_password(password)


@pytest.mark.parametrize("password", ["", "x7$Kq", "x7$Kq!2", "äöüßéèà", "🐎🔋📎🔑🐎🔋📎"])
def test_seven_characters_are_too_few(password: str) -> None:
    """Counted in code points, not bytes: an emoji is one."""
    assert strength_rule(password) == "at least 8 characters"


def test_combining_marks_do_not_lengthen_a_password() -> None:
    """Seven letters, each with an accent of its own code point, are seven characters once composed."""
    letters = "".join(f"{letter}\N{COMBINING ACUTE ACCENT}" for letter in "aeiouyc")
    assert strength_rule(normalise_password(letters)) == "at least 8 characters"


@pytest.mark.parametrize(
    "password",
    ["x7$Kq!2m", "🐎🔋📎🔑🐎🔋📎🎈", "correct horse battery staple", "a fine password", "qzvwxkjp", "94071738",
     "        x", "p" * 99 + "x", "ein langer Satz, den sich jeder merkt", "monkey8273645182"],
)  # fmt: skip
def test_there_are_no_composition_rules(password: str) -> None:
    assert strength_rule(password) == context_rule(password) == ""


@pytest.mark.parametrize(
    "password",
    ["password", "Password", "PASSWORD1", "qwertyuiop", "iloveyou", "letmein1", "trustno1", "international",
     "p@ssw0rd", "Sunshine!", "dragon2024", "!!monkey!!", "mary1987", "Elizabeth"],
)  # fmt: skip
def test_common_passwords_words_and_names_are_refused(password: str) -> None:
    """In any case, and with a year or marks around them."""
    assert "common" in strength_rule(password)


def test_the_list_has_more_than_3000_entries_of_eight_characters() -> None:
    """Each of them is refused, by one rule or another."""
    long_enough = [word for word in common_words() if len(word) >= 8]
    assert len(common_words()) > 90_000
    assert len(long_enough) > 3_000
    assert [word for word in long_enough if not strength_rule(word)] == []


@pytest.mark.parametrize(
    "password", ["password1password1", "abcdabcd", "aaaaaaaa", "é" * 512, "abc123" * 10, "ABCabcAbc"]
)
def test_a_repetition_counts_as_its_repeated_part(password: str) -> None:
    assert strength_rule(password)


def test_a_good_password_is_good_twice() -> None:
    assert strength_rule("x7$Kq!2m" * 2) == ""


@pytest.mark.parametrize(
    "password", ["abcdefgh", "hgfedcba", "12345678", "23456789", "98765432", "ABCDEFGHIJ", "абвгдежз"]
)
def test_sequences_are_refused(password: str) -> None:
    assert strength_rule(password)


@pytest.mark.parametrize(
    "password",
    ["mia.ohara@books.example", "Mia.Ohara", "ohara1987", "!ohara!", "books2024", "books.example", "acme hosting",
     "AcmeHosting", "hosting1", "Hosting1Hosting1"],
)  # fmt: skip
def test_context_specific_passwords_are_refused(password: str) -> None:
    """The address, its parts and the product's name, with or without digits and marks around them."""
    if password == "AcmeHosting":
        assert context_rule(password, product="AcmeHosting") != ""
    else:
        assert context_rule(password) == "not your e-mail address, a part of it or the name of this service"


def test_short_parts_of_an_address_are_ignored() -> None:
    """The `j` of `j@x.test` occurs in half of all passwords."""
    assert context_rule("j12345!!", email="j@x.example", product="X") == ""


@given(st.text(string.printable, min_size=1, max_size=40))
def test_appending_random_characters_never_makes_a_good_password_bad(typed: str) -> None:
    if not strength_rule(typed):
        assert strength_rule(typed + "vK3#pZ8q") == ""
