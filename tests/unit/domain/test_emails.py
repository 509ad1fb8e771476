"""E-mail addresses have one spelling each, and mail can be sent to every accepted one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.domain.emails import masked, normalise_email
from twofactor_server.mail.addresses import header_address

RULE = "an e-mail address of at most 254 characters"


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("mia@example.test", "mia@example.test"),
        (" Mia@EXAMPLE.Test\n", "mia@example.test"),
        ("mia+shop@example.test", "mia+shop@example.test"),
        ("o'hara@example.test", "o'hara@example.test"),
        ("MU\N{COMBINING DIAERESIS}LLER@example.test", "müller@example.test"),
        ("ÄNNE@BÜCHER.test", "änne@bücher.test"),
        ("mia@xn--bcher-kva.test", "mia@bücher.test"),
        ("mia@straße.example", "mia@straße.example"),
        ("root@localhost", "root@localhost"),
        ("a@1.2.3.4", "a@1.2.3.4"),
        ("mia@mail.local", "mia@mail.local"),
        ("mia@mail.internal", "mia@mail.internal"),
        (f"{'m' * 64}@{'x' * 63}.test", f"{'m' * 64}@{'x' * 63}.test"),
    ],
)
def test_equal_addresses_have_one_spelling(typed: str, address: str) -> None:
    """Lower case, NFC, and a Unicode domain by IDNA 2008, which keeps straße and strasse apart."""
    assert normalise_email(typed) == address


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
        ".mia@example.test",
        "mia.@example.test",
        "mia@-example.test",
        "mia@example.test,eve@example.test",
        "Mia <mia@example.test>",
        '"mia"@example.test',
        "mia@[192.0.2.1]",
        "mia\0@example.test",
        "mia\r\nBcc: eve@example.test",
        "mia@example.test\nx",
        "mia@xn--a.test",
        "mia@\N{SNOWMAN}.test",
        f"{'m' * 65}@example.test",
        f"mia@{'x' * 64}.test",
        f"mia@{'example.' * 32}test",
    ],
)
def test_malformed_addresses_are_rejected(typed: str) -> None:
    with pytest.raises(ValueError, match=RULE):
        normalise_email(typed)


@pytest.mark.parametrize(
    "typed",
    ["mia\N{ZERO WIDTH SPACE}@example.test", "mia\u202e@example.test", "mia\x80@example.test", "mia@\u0661.test"],
)
def test_invisible_characters_are_rejected(typed: str) -> None:
    """A mail header cannot carry such an address, so an account must not have it."""
    with pytest.raises(ValueError, match=RULE):
        normalise_email(typed)


ADDRESSES = st.emails() | st.builds("{}@{}".format, st.text(min_size=1, max_size=8), st.text(min_size=1, max_size=8))


@given(ADDRESSES)
def test_an_accepted_address_is_stable_and_can_receive_mail(typed: str) -> None:
    """No text raises another error. Normalising twice changes nothing, and case does not matter in ASCII.

    If the address did not fit into a mail header, its owner would have an account without ever getting a code.
    """
    try:
        address = normalise_email(typed)
    except ValueError as error:
        if str(error) != RULE:
            raise
        return
    assert normalise_email(address) == address
    assert len(address) <= 254
    assert header_address(address)
    if typed.isascii():
        assert normalise_email(typed.upper()) == normalise_email(typed.swapcase()) == address


def test_a_masked_address_shows_one_letter_and_the_domain() -> None:
    assert masked("mia@example.test") == "m•••@example.test"
    assert masked("m@example.test") == "m•••@example.test"
