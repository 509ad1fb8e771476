"""One notice of every kind, and helpers that parse rendered mails."""

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

from twofactor_server.mail.messages import Branding, render
from twofactor_server.mail.notices import (
    AccountClosed,
    AuthenticatorOff,
    AuthenticatorOn,
    BackupCodeRegenerated,
    BackupCodeUsed,
    ConfirmEmail,
    EmailChanged,
    EmailInUse,
    IdentityLinked,
    IdentityUnlinked,
    Notice,
    PasswordChanged,
    PasswordReset,
    SecondFactorFailed,
    SignInCode,
    SignInSuspended,
)

OWNER = "mia@example.com"
TIME = datetime(2026, 7, 2, 9, 5, 33, 250_000, tzinfo=UTC)
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
BRAND = Branding("Example Hosting", "https://my.example.com/account", "security@example.com")
LINK_TOKEN = f"tfr_{'Ab3-_' * 12}wxyz"
MESSAGE_ID = UUID("0198c0de-1111-7222-8333-444455556666")


def sign_in_code(recipient: str = OWNER, ip_address: str = "203.0.113.7", user_agent: str = CHROME) -> SignInCode:
    """A notice with the code 042137."""
    return SignInCode(
        recipient=recipient,
        time=TIME,
        ip_address=ip_address,
        user_agent=user_agent,
        code="042137",
        lifetime=timedelta(minutes=5),
    )


def backup_code_used() -> BackupCodeUsed:
    """The new code can be shown again for a day."""
    return BackupCodeUsed(
        recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME, lifetime=timedelta(hours=24)
    )


def password_reset() -> PasswordReset:
    """With a short token that is easy to recognise."""
    return PasswordReset(
        recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME, token="tfr_a-token_of-a-link"
    )


def suspended(failures: int = 20) -> SignInSuspended:
    """Sign-in is suspended until the owner follows the link."""
    return SignInSuspended(
        recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME, token=LINK_TOKEN, failures=failures
    )


def all_notices() -> list[Notice]:
    """Every kind that is not in ``account_notices``, and both variants of those with two."""
    return [
        sign_in_code(),
        backup_code_used(),
        BackupCodeRegenerated(recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME),
        AuthenticatorOn(recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME),
        AuthenticatorOn(recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME, replaced=True),
        AuthenticatorOff(recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME),
        PasswordChanged(recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME),
        password_reset(),
        SecondFactorFailed(recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME, failures=7),
        suspended(),
        suspended(failures=0),
        *(
            kind(recipient=OWNER, time=TIME, ip_address="203.0.113.7", user_agent=CHROME, provider=provider)
            for kind, provider in (
                (IdentityLinked, "google"),
                (IdentityLinked, "github"),
                (IdentityUnlinked, "example"),
            )
        ),
    ]


def account_notices() -> list[Notice]:
    """The notices about the address and about closing the account."""
    seen: dict[str, Any] = {"recipient": OWNER, "time": TIME, "ip_address": "203.0.113.7", "user_agent": CHROME}
    return [
        ConfirmEmail(**seen, token=LINK_TOKEN),
        EmailInUse(**seen),
        EmailChanged(**seen, former=True, undo_token=LINK_TOKEN),
        EmailChanged(**seen, former=False),
        AccountClosed(**seen),
    ]


def received(notice: Notice, brand: Branding = BRAND) -> EmailMessage:
    """The mail, serialised and parsed again by the standard library."""
    return parsed(render(notice, brand, MESSAGE_ID).as_bytes())


def parsed(content: bytes) -> EmailMessage:
    """Parse a mail; asserts that no part has defects."""
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert [part.defects for part in message.walk()] == [[]] * len(list(message.walk()))
    return message


def part(message: EmailMessage, subtype: str) -> str:
    """The text of the ``plain`` or of the ``html`` part."""
    body = message.get_body((subtype,))
    assert body is not None
    assert body.get_content_subtype() == subtype
    content = body.get_content()
    assert isinstance(content, str)
    return content


class Page(HTMLParser):
    """The tags, attributes and visible text of an HTML part."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        if self.tags[-1:] != ["style"] or "color-scheme" not in data:
            self.text = " ".join(f"{self.text} {data}".split())
