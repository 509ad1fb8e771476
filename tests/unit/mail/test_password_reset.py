"""The mail with the password reset link."""

import re

from tests.unit.mail.letters import BRAND, MESSAGE_ID, Page, part, password_reset, received
from twofactor_server.mail.messages import render

LINK = "https://my.example.com/account/reset-password?token=tfr_a-token_of-a-link"


def test_the_link_is_alone_on_its_line() -> None:
    """It is never wrapped, whatever its length."""
    assert part(received(password_reset()), "plain").splitlines().count(LINK) == 1


def test_the_page_has_one_button_and_loads_nothing() -> None:
    page = Page(part(received(password_reset()), "html"))
    assert page.tags.count("a") == 1
    assert ("href", LINK) in page.attributes
    assert not set(page.tags) & {"script", "link", "img", "iframe", "form", "base", "object"}
    assert "Choose a new password" in page.text


def test_it_says_how_long_the_link_is_valid_and_that_nothing_has_changed() -> None:
    text = " ".join(part(received(password_reset()), "plain").split())
    assert "It works once, until 2 July 2026, 10:05 UTC" in text
    assert "only the link of the newest mail works" in text
    assert "Nothing has changed yet." in text
    assert "signing in still requires your second factor" in text


def test_the_token_is_in_the_link_only() -> None:
    mail = render(password_reset(), BRAND, MESSAGE_ID)
    assert "tfr_" not in str(mail.items())
    text = part(received(password_reset()), "plain")
    assert len(re.findall("tfr_", text)) == 1
