"""Addresses and passwords in one spelling each."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.domain.accounts import masked, normalise_email, normalise_password
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.mail.addresses import header_address

SECRET = "correct horse"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("mia@example.test", "mia@example.test"),
        (" Mia@EXAMPLE.Test\n", "mia@example.test"),
        ("mia+shop@example.test", "mia+shop@example.test"),
        ("o'hara@example.test", "o'hara@example.test"),
        ("MU\N{COMBINING DIAERESIS}LLER@example.test", "müller@example.test"),
        ("ÄNNE@BÜCHER.test", "änne@bücher.test"),
        ("root@localhost", "root@localhost"),
        ("a@1.2.3.4", "a@1.2.3.4"),
    ],
)
def test_an_address_is_kept_in_lower_case_and_composed(typed: str, address: str) -> None:
    """ "E-mail addresses compare in lower case"."""
    assert normalise_email(typed, "email") == address


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "mia",
        "@example.test",
        "mia@",
        "mia@example.test@example.test",
        "mia @example.test",
        "mia@exam ple.test",
        "mia@.test",
        "mia@example..test",
        "mia..x@example.test",
        "mia@-example.test",
        "mia@example.test,eve@example.test",
        "Mia <mia@example.test>",
        "mia@[192.0.2.1]",
        "mia\0@example.test",
        "mia\r\nBcc: eve@example.test",
        "mia@example.test\nx",
        f"{'m' * 65}@example.test",
        f"mia@{'example.' * 32}test",
    ],
)
def test_what_is_no_address_is_malformed(typed: str) -> None:
    with pytest.raises(Refusal) as caught:
        normalise_email(typed, "password.email")
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_FIELD, "password.email")


ADDRESSES = st.emails() | st.builds("{}@{}".format, st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))


@given(ADDRESSES)
def test_every_address_is_normal_after_once_and_unlike_what_it_is_not(typed: str) -> None:
    """No text crashes it. Upper and lower case of an ASCII address are one address."""
    try:
        address = normalise_email(typed, "email")
    except Refusal:
        return
    assert normalise_email(address, "email") == address
    assert len(address) <= 254
    if typed.isascii():
        assert normalise_email(typed.upper(), "email") == normalise_email(typed.swapcase(), "email") == address


@given(ADDRESSES)
def test_an_address_that_is_accepted_can_be_written_to(typed: str) -> None:
    """Otherwise its owner would have an account whose codes never leave: each mail is given up, and nobody is told."""
    try:
        address = normalise_email(typed, "email")
    except Refusal:
        return
    assert header_address(address)


@pytest.mark.parametrize(
    "typed",
    ["mia\N{ZERO WIDTH SPACE}@example.test", "mia\u202e@example.test", "mia\x80@example.test", "mia@\u0661.test"],
)
def test_an_address_of_marks_that_nobody_sees_is_malformed(typed: str) -> None:
    """Mail refuses such an address, so an account must not have it."""
    with pytest.raises(Refusal):
        normalise_email(typed, "email")


def test_a_password_is_taken_whole_and_composed() -> None:
    """NIST SP 800-63B §3.1.1.2: NFC before hashing; nothing trimmed, nothing cut off, every character allowed."""
    assert normalise_password("  spaces stay  ", "password") == "  spaces stay  "
    assert normalise_password("pa\N{COMBINING DIAERESIS}ss", "password") == "päss"
    assert normalise_password("🐎🔋📎🔑", "password") == "🐎🔋📎🔑"
    long = "x" * 99
    assert normalise_password(f"{long}a", "password") != normalise_password(f"{long}b", "password")


@given(st.text(min_size=1, max_size=60))
def test_composed_and_decomposed_spellings_are_one_password(typed: str) -> None:
    """A keyboard that sends combining marks and one that does not let the same owner in."""
    composed, decomposed = (normalise_password(unicodedata.normalize(form, typed), "p") for form in ("NFC", "NFD"))
    assert composed == decomposed == normalise_password(typed, "p")


@pytest.mark.parametrize(
    ("password", "accepted"),
    [("", False), ("x", True), ("x" * 1024, True), ("x" * 1025, False), ("ü" * 512, True), ("ü" * 512 + "x", False)],
)
def test_a_password_has_1_to_1024_bytes(password: str, accepted: bool) -> None:
    if accepted:
        assert normalise_password(password, "password") == password
        return
    with pytest.raises(Refusal) as caught:
        normalise_password(password, "password")
    assert (caught.value.reason, caught.value.field) == (Reason.INVALID_FIELD, "password")


def test_a_masked_address_shows_one_letter_and_the_domain() -> None:
    assert masked("mia@example.test") == "m•••@example.test"
    assert masked("m@example.test") == "m•••@example.test"
