"""Every kind of mail, rendered and parsed: headers, text, HTML."""

import re
from dataclasses import replace
from datetime import timedelta
from email.utils import parsedate_to_datetime
from uuid import uuid4

import pytest

from tests.unit.mail.letters import (
    BRAND,
    MESSAGE_ID,
    OWNER,
    TIME,
    Page,
    all_notices,
    backup_code_used,
    part,
    received,
    sign_in_code,
    suspended,
)
from twofactor_server.mail.formatting import format_duration
from twofactor_server.mail.messages import Branding, render
from twofactor_server.mail.notices import (
    AuthenticatorOff,
    AuthenticatorOn,
    IdentityNotice,
    LinkNotice,
    Notice,
    PasswordReset,
)

SUBJECTS = {
    "sign-in-code": "Confirm your login request",
    "backup-code-used": "Your backup code was used to sign in",
    "backup-code-regenerated": "Your backup code was regenerated",
    "authenticator-on": "Your authenticator app is on",
    "authenticator-on, replaced": "Your authenticator app was moved to a new phone",
    "authenticator-off": "Your authenticator app was removed",
    "password-changed": "Your password was changed",
    "password-reset": "Choose a new password",
    "second-factor-failed": "Wrong codes at your sign-in",
    "sign-in-suspended": "Signing in is suspended until you confirm",
    "identity-linked, google": "Google was linked to your account",
    "identity-linked, github": "GitHub was linked to your account",
    "identity-unlinked, example": "example was unlinked from your account",
}


def case(notice: Notice) -> str:
    if isinstance(notice, IdentityNotice):
        return f"{notice.kind}, {notice.provider}"
    return f"{notice.kind}, replaced" if getattr(notice, "replaced", False) else notice.kind


def links(notice: Notice) -> list[str]:
    if not isinstance(notice, LinkNotice):
        return []
    return [f"https://my.example.com/account/{notice.purpose}?token={notice.token}"]


every_kind = pytest.mark.parametrize("notice", all_notices(), ids=case)


def words(text: str) -> str:
    return " ".join(text.split())


@every_kind
def test_headers(notice: Notice) -> None:
    mail = received(notice)
    assert mail["Subject"] == SUBJECTS[case(notice)]
    assert mail["From"] == "Example Hosting <security@example.com>"
    assert mail["To"] == OWNER
    assert parsedate_to_datetime(mail["Date"]) == TIME.replace(microsecond=0)
    assert mail["Message-ID"] == f"<{MESSAGE_ID}@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Twofactor-Kind"] == notice.kind
    assert mail.get_content_type() == "multipart/alternative"
    assert [alternative.get_content_type() for alternative in mail.iter_parts()] == [
        "text/plain",
        "text/html",
    ]


@every_kind
def test_each_mail_says_when_from_where_and_what_to_do_if_it_was_not_you(notice: Notice) -> None:
    mail = received(notice)
    text, page = part(mail, "plain"), Page(part(mail, "html"))
    for seen in (words(text), page.text):
        assert re.search(r"When:? 2 July 2026, 09:05 UTC", seen)
        assert re.search(r"IP address:? 203\.0\.113\.7", seen)
        assert re.search(r"Device:? Chrome on Linux", seen)
        assert "Was this not you?" in seen
        if isinstance(notice, PasswordReset):
            assert "you need not do anything" in seen
        else:
            assert "Change your password now, and contact Example Hosting support." in seen


@every_kind
def test_text_and_html_say_the_same(notice: Notice) -> None:
    mail = received(notice)
    page = Page(part(mail, "html"))
    for paragraph in part(mail, "plain").split("\n\n"):
        if paragraph.strip().startswith("https://"):
            assert ("href", paragraph.strip()) in page.attributes
        elif not paragraph.startswith("When:"):
            assert words(paragraph) in page.text


@every_kind
def test_the_html_is_one_self_contained_accessible_page(notice: Notice) -> None:
    html = part(received(notice), "html")
    page = Page(html)
    names = {name for name, _ in page.attributes}
    assert not names & {"src", "background", "action", "srcset"}
    assert not set(page.tags) & {"script", "link", "img", "iframe", "form", "base", "object"}
    assert page.tags.count("a") == len(links(notice)) == html.count("href") == html.count("//")
    assert not re.search(r"url\(|@import", html)
    assert ("lang", "en") in page.attributes
    assert page.tags.count("h1") == page.tags.count("title") == 1
    assert page.tags.count("th") == page.attributes.count(("scope", "row")) == 3


@every_kind
def test_no_mail_has_other_links_or_text_that_looks_like_a_secret(notice: Notice) -> None:
    mail = received(notice)
    for subtype in ("plain", "html"):
        assert re.findall(r"https?://[^\s\"]*", part(mail, subtype)) == links(notice)
        assert len(re.findall(r"tf[csr]_", part(mail, subtype))) == len(links(notice))
    assert "tfr_" not in str(mail.items())
    assert not re.search(r"\b[0-9a-hjkmnp-tv-z]{4}(?:[ -][0-9a-hjkmnp-tv-z]{4}){3}\b", part(received(notice), "plain"))


@every_kind
def test_only_the_code_is_a_line_of_six_digits(notice: Notice) -> None:
    digits = [
        line.strip() for line in part(received(notice), "plain").splitlines() if re.search(r"^\s*\d{6}\s*$", line)
    ]
    assert digits == (["042137"] if notice.kind == "sign-in-code" else [])


def test_the_code_is_alone_on_its_line_in_the_raw_mail() -> None:
    assert b"\n\n042137\n\n" in render(sign_in_code(), BRAND, MESSAGE_ID).as_bytes()


def test_the_code_is_neither_in_headers_nor_in_previews() -> None:
    for brand in (BRAND, replace(BRAND, product_name="X")):
        mail = received(sign_in_code(), brand)
        assert "042137" not in str(mail.items())
        assert part(mail, "plain").index("042137") > 160
        assert Page(part(mail, "html")).text.index("042137") > 200


def test_the_code_mail_says_how_long_the_code_is_valid() -> None:
    text = words(part(received(sign_in_code()), "plain"))
    assert "until 2 July 2026, 09:10 UTC (5 minutes after the request)" in text


def test_the_backup_code_mail_says_how_to_see_the_new_code_again() -> None:
    text = words(part(received(backup_code_used()), "plain"))
    assert "reload that page in the same browser within 24 hours, until 3 July 2026, 09:05 UTC" in text
    assert '"Save your new backup code" page' in text
    assert '"Regenerate backup code"' in text
    assert "your authenticator app lets you in" in text


def test_a_replaced_authenticator_has_a_mail_of_its_own() -> None:
    first = part(received(AuthenticatorOn(recipient=OWNER, time=TIME)), "plain")
    moved = part(received(AuthenticatorOn(recipient=OWNER, time=TIME, replaced=True)), "plain")
    assert "new phone" not in first
    assert "Your backup code was replaced as well" in moved


def test_the_suspension_mail_says_why_and_how_to_continue() -> None:
    after_failures, after_report = (words(part(received(suspended(failures)), "plain")) for failures in (20, 0))
    assert "entered a wrong code, 20 times within 24 hours" in after_failures
    assert "You reported that someone else acted" in after_report
    for text in (after_failures, after_report):
        assert "nobody can sign in" in text
        assert "open the link below before 9 July 2026, 09:05 UTC" in text
        assert "you will choose a new one there" in text


def test_unknown_details_are_omitted() -> None:
    text = part(received(AuthenticatorOff(recipient=OWNER, time=TIME)), "plain")
    assert "IP address" not in text
    assert "Device" not in text


def test_rendering_is_deterministic() -> None:
    first, again = (render(sign_in_code(), BRAND, MESSAGE_ID).as_bytes() for _ in range(2))
    assert first == again
    assert render(sign_in_code(), BRAND, uuid4())["Message-ID"] != f"<{MESSAGE_ID}@example.com>"


def test_text_lines_are_short_and_7bit() -> None:
    for notice in all_notices():
        if links(notice):
            continue  # a link is one long line
        body = render(notice, BRAND, MESSAGE_ID).get_body(("plain",))
        assert body is not None
        assert body["Content-Transfer-Encoding"] == "7bit"
        assert max(len(line) for line in part(received(notice), "plain").splitlines()) <= 78


def test_a_product_name_may_contain_any_printable_text() -> None:
    brand = Branding('Ünïcode & <b>"Sons"</b>', "https://x.example", "security@example.com")
    mail = received(sign_in_code(), brand)
    assert mail["From"].addresses[0].display_name == brand.product_name
    assert brand.product_name in words(part(mail, "plain"))
    page = Page(part(mail, "html"))
    assert brand.product_name in page.text
    assert "b" not in page.tags


def test_the_sender_may_have_a_name() -> None:
    brand = Branding("Example", "https://x.example", '"Example, Inc." <security@mail.example>')
    mail = received(sign_in_code(), brand)
    assert mail["From"].addresses[0].display_name == "Example, Inc."
    assert mail["Message-ID"].endswith("@mail.example>")


@pytest.mark.parametrize(
    ("name", "sender", "complaint"),
    [
        ("", "a@x.example", "product name"),
        ("Two\nlines", "a@x.example", "product name"),
        ("x" * 101, "a@x.example", "product name"),
        ("Call 123456", "a@x.example", "six digits"),
        ("Example", "", "one e-mail address"),
        ("Example", "nobody", "one e-mail address"),
        ("Example", "a@x.example, b@x.example", "one e-mail address"),
        ("Example", "a@x.example\r\nBcc: b@x.example", "one e-mail address"),
    ],
)
def test_invalid_branding_is_rejected(name: str, sender: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Branding(name, "https://x.example", sender)


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (30, "30 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (300, "5 minutes"),
        (3600, "1 hour"),
        (86400, "24 hours"),
    ],
)
def test_durations_use_the_largest_exact_unit(length: int, said: str) -> None:
    assert format_duration(timedelta(seconds=length)) == said
