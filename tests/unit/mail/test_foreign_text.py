"""Untrusted text (address, user agent, IP address) adds no header, line or words to a mail."""

import pytest

from tests.unit.mail.letters import BRAND, MESSAGE_ID, Page, part, received, sign_in_code
from twofactor_server.mail.formatting import canonical_ip, device
from twofactor_server.mail.messages import render

HEADERS = [
    "From",
    "To",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "X-Twofactor-Kind",
    "Subject",
    "MIME-Version",
    "Content-Type",
]

NOT_ADDRESSES = [
    "",
    "nobody",
    "@example.com",
    "mia@",
    "mia@example.com\r\nBcc: eve@example.com",
    "mia@example.com\nBcc: eve@example.com",
    "mia@example.com\u2028Bcc: eve@example.com",
    "mia@example.com, eve@example.com",
    "mia@example.com> SIZE=1",
    "<mia@example.com>",
    "mia mia@example.com",
    "mia\x00@example.com",
    "mia\u202e@example.com",
    "mia@-ü-.example",
    "mia@ex\u200dample.com",
]

BREAKS = ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]


@pytest.mark.parametrize("recipient", NOT_ADDRESSES)
def test_a_recipient_that_is_not_one_address_is_rejected_without_quoting_it(recipient: str) -> None:
    with pytest.raises(ValueError, match=r"^not an e-mail address$") as refusal:
        render(sign_in_code(recipient=recipient), BRAND, MESSAGE_ID)
    assert refusal.value.args == ("not an e-mail address",)


@pytest.mark.parametrize(
    ("recipient", "written"),
    [
        ("o'hara+two@example.com", "o'hara+two@example.com"),
        ("mia@localhost", "mia@localhost"),
        ("mia@a_b.example", "mia@a_b.example"),
        ("mia@münchen.example", "mia@xn--mnchen-3ya.example"),
        ("mia@straße.example", "mia@xn--strae-oqa.example"),
        ("jürgen@example.com", "jürgen@example.com"),
    ],
)
def test_an_unusual_address_is_kept(recipient: str, written: str) -> None:
    assert render(sign_in_code(recipient=recipient), BRAND, MESSAGE_ID)["To"].addresses[0].addr_spec == written


@pytest.mark.parametrize("line_break", BREAKS, ids=ascii)
def test_a_user_agent_adds_no_header_and_no_line(line_break: str) -> None:
    user_agent = f"Chrome{line_break}Bcc: eve@example.com{line_break}{line_break}123456{line_break}"
    mail = received(sign_in_code(user_agent=user_agent, ip_address=f"203.0.113.7{line_break}654321"))
    assert mail.keys() == HEADERS
    content = mail.as_string()
    for foreign in ("eve@example.com", "123456", "654321"):
        assert foreign not in content


@pytest.mark.parametrize(
    "user_agent",
    [
        "<script>alert(1)</script>",
        '"><img src=x>',
        "{{ 7 * 7 }}",
        "Your account is closed, call 0800",
        "evil.example/login",
        "https://evil.example",
        "Windows https://evil.example",
    ],
)
def test_a_user_agent_is_not_quoted(user_agent: str) -> None:
    mail = received(sign_in_code(user_agent=user_agent))
    assert user_agent not in part(mail, "plain")
    page = Page(part(mail, "html"))
    assert not set(page.tags) & {"script", "img"}
    for word in ("evil", "alert", "49", "0800"):
        assert word not in page.text


@pytest.mark.parametrize(
    ("user_agent", "shown"),
    [
        ("", ""),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
            "Firefox on Windows",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/17.5 Mobile/15E148 Safari/604.1",
            "Safari on iPhone",
        ),
        (
            "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) "
            "Chrome/126.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        ("SomeApp/3.1 (Android 14)", "Android"),
        ("twofactor-try/0.1.0", "twofactor-try/0.1.0"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("something else entirely", ""),
    ],
)
def test_devices_are_named_as_people_name_them(user_agent: str, shown: str) -> None:
    assert device(user_agent) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:DB8:0::7", "2001:db8::7"),
        ("fe80::1%evil.example", "fe80::1"),
        ("", ""),
        ("here", ""),
    ],
)
def test_only_an_ip_address_is_shown_as_one(text: str, shown: str) -> None:
    assert canonical_ip(text) == shown
