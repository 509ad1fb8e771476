"""Renders a notice as a mail with a text part and an HTML part.

The text of a kind is in ``templates/<kind>.txt``: the first paragraph is the subject, the others are the body. Both
layouts show the same paragraphs, the details of the event, and ``closing.txt``, which says what to do if it was
someone else.
"""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from functools import cache
from typing import TYPE_CHECKING
from uuid import UUID

from twofactor_server.domain.mailed_links import LinkPurpose
from twofactor_server.mail.addresses import header_address, sender
from twofactor_server.mail.formatting import canonical_ip, device, format_duration, format_time, one_line
from twofactor_server.mail.notices import LinkNotice, Notice, SignInCode

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True)
class Branding:
    """The product's name, the base URL of links, and the sender.

    ``product_name`` is one line of 1 to 100 characters. ``mail_from`` is an address, or a name and an address
    (``Example <security@example.com>``); without a name, the product's name is shown. Raises ValueError with a message
    for the operator.
    """

    product_name: str
    link_base_url: str
    mail_from: str

    def __post_init__(self) -> None:
        name = self.product_name
        if not name or one_line(name, 100) != name:
            raise ValueError("the product name must be one line of 1 to 100 characters")
        if re.search(r"\b\d{6}\b", name):
            raise ValueError("the product name must not contain six digits in a row: they look like a code")
        try:
            sender(self.mail_from, name)
        except ValueError:
            raise ValueError("the sender of mails must be one e-mail address") from None

    def link(self, purpose: LinkPurpose, token: str) -> str:
        """The URL of the front end's page for this purpose."""
        return f"{self.link_base_url.rstrip('/')}/{purpose}?token={token}"


def render(notice: Notice, brand: Branding, message_id: UUID) -> EmailMessage:
    """The mail for ``notice``. The same notice and ``message_id`` always produce the same bytes.

    A mail delivered twice therefore has one Message-ID, and mail readers can drop the copy. A code is alone on its line
    of the text part, is the only line of six digits, and is below the part that previews show. Raises ValueError if the
    recipient is not an address. The first call imports jinja2 (some 0.2 s): call it in a thread.
    """
    subject, *paragraphs = _paragraphs(notice.kind, notice, brand)
    content = {
        "subject": subject,
        "paragraphs": paragraphs,
        "code": notice.code if isinstance(notice, SignInCode) else "",
        "link": brand.link(notice.purpose, notice.token) if isinstance(notice, LinkNotice) else "",
        "action": notice.action if isinstance(notice, LinkNotice) else "",
        "undo_link": brand.link(LinkPurpose.UNDO, notice.undo_token) if notice.undo_token else "",
        "details": _details(notice),
        "closing": _paragraphs("closing", notice, brand),
    }
    message = _envelope(notice, brand, message_id)
    message["Subject"] = subject
    message.set_content(_templates().get_template("layout.txt").render(content))
    message.add_alternative(_templates().get_template("layout.html").render(content), subtype="html")
    message.set_boundary(f"=_{message_id.hex}")
    return message


def _envelope(notice: Notice, brand: Branding, message_id: UUID) -> EmailMessage:
    message = EmailMessage()
    origin = sender(brand.mail_from, brand.product_name)
    message["From"] = origin
    message["To"] = header_address(notice.recipient)
    message["Date"] = notice.time
    message["Message-ID"] = f"<{message_id}@{origin.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: prevents vacation replies
    message["X-Twofactor-Kind"] = notice.kind
    return message


def _details(notice: Notice) -> list[tuple[str, str]]:
    """Labels and values. A value always follows its label, so it is never alone on a line like a code."""
    rows = [
        ("When", format_time(notice.time)),
        ("IP address", canonical_ip(notice.ip_address)),
        ("Device", device(notice.user_agent)),
    ]
    return [row for row in rows if row[1]]


def _paragraphs(template: str, notice: Notice, brand: Branding) -> list[str]:
    text = _templates().get_template(f"{template}.txt").render(notice=notice, product=brand.product_name)
    return [" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", text.strip())]


@cache
def _templates() -> "Environment":
    # Imported on first use: it takes some 0.2 s.
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    templates = Environment(
        loader=PackageLoader("twofactor_server.mail", "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(format_time=format_time, format_duration=format_duration)
    return templates
