"""Mails about the address and about closing the account, and the links of every notice."""

import re
from dataclasses import replace

import pytest

from tests.unit.mail.letters import BRAND, LINK_TOKEN, Page, account_notices, all_notices, part, received
from twofactor_server.mail.notices import LinkNotice, Notice, SignInCode

SUBJECTS = {
    "email-change": "Use this address for your Example Hosting account?",
    "email-in-use": "This address belongs to an account already",
    "email-changed, former": "Your account uses another e-mail address now",
    "email-changed": "Your account uses this e-mail address now",
    "account-closed": "Your account is closed",
}
WHAT_TO_DO = {
    "email-change": "there is nothing for you to do",
    "email-in-use": "there is nothing for you to do",
    "email-changed, former": "Report it by the link below, within 7 days",
    "email-changed": "Change your password now, and contact Example Hosting support.",
    "account-closed": "contact Example Hosting support.",
}
CHANGES = [replace(notice, undo_token=LINK_TOKEN) for notice in all_notices() if not isinstance(notice, SignInCode)]


def case(notice: Notice) -> str:
    return f"{notice.kind}, former" if getattr(notice, "former", False) else notice.kind


def words(text: str) -> str:
    return " ".join(text.split())


def links(notice: Notice) -> list[str]:
    confirming = [BRAND.link(notice.purpose, notice.token)] if isinstance(notice, LinkNotice) else []
    return confirming + ([f"{BRAND.link_base_url}/not-me?token={LINK_TOKEN}"] if notice.undo_token else [])


every_kind = pytest.mark.parametrize("notice", account_notices(), ids=case)
every_link = pytest.mark.parametrize("notice", [*account_notices(), *CHANGES], ids=case)


@every_kind
def test_each_mail_says_what_happened_when_from_where_and_what_to_do(notice: Notice) -> None:
    mail = received(notice)
    assert mail["Subject"] == SUBJECTS[case(notice)]
    for seen in (words(part(mail, "plain")), Page(part(mail, "html")).text):
        assert re.search(r"When:? 2 July 2026, 09:05 UTC", seen)
        assert re.search(r"IP address:? 203\.0\.113\.7", seen)
        assert "Was this not you?" in seen
        assert WHAT_TO_DO[case(notice)] in seen


@every_link
def test_each_mail_has_its_links_and_no_others(notice: Notice) -> None:
    """Alone on a line of the text, and as a link text in the HTML. Mails without links say so."""
    mail = received(notice)
    plain = part(mail, "plain")
    assert re.findall(r"^https?://\S+$", plain, re.MULTILINE) == links(notice)
    assert len(re.findall(r"https?:|tfr_", plain)) == 2 * len(links(notice))
    page = Page(part(mail, "html"))
    assert [value for name, value in page.attributes if name == "href"] == links(notice)
    assert "tfr_" not in page.text
    assert ("This mail has no links." in words(plain)) == (not links(notice))


@every_link
def test_no_line_is_six_digits(notice: Notice) -> None:
    assert not re.search(r"^\s*\d{6}\s*$", part(received(notice), "plain"), re.MULTILINE)


@every_link
def test_a_token_is_not_in_headers_or_reprs(notice: Notice) -> None:
    assert LINK_TOKEN not in str(received(notice).items())
    assert LINK_TOKEN not in repr(notice)


@every_link
def test_text_and_html_say_the_same(notice: Notice) -> None:
    mail = received(notice)
    page = Page(part(mail, "html"))
    for paragraph in part(mail, "plain").split("\n\n"):
        if not paragraph.startswith(("When:", "http")):
            assert words(paragraph) in page.text
