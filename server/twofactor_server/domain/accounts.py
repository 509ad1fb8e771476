"""Accounts: one person's sign-in identity."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from twofactor_server.domain.refusals import invalid

PASSWORD_BYTES = 1024
"""An upper bound against work for nothing; far above the 64 characters that must be allowed."""

EMAIL_LENGTH = 254
# One @, no space or control character, a dotted or plain domain of letters, digits and hyphens. Whether an
# address receives mail is proved by the first mailed code, not by its looks.
_EMAIL = re.compile(r"[^\s@\x00-\x1f\x7f\"(),:;<>\[\]\\]{1,64}@[\w](?:[\w-]*[\w])?(?:\.[\w](?:[\w-]*[\w])?)*")


@dataclass(frozen=True, slots=True)
class Account:
    """The row of ``accounts``; the password is a PHC string, or None if the account has none.

    ``suspend_time``: since then a right first factor is not enough to begin a sign-in, until the owner confirms by a
    mailed link. ``close_time``: since then it is nobody's.
    """

    account_id: UUID
    email: str
    email_verify_time: datetime | None
    create_time: datetime
    password_hash: str | None
    password_version: int
    suspend_time: datetime | None = None
    close_time: datetime | None = None
    linked_providers: tuple[str, ...] = ()


def normalise_email(typed: str, field: str) -> str:
    """The address in lower case and Unicode NFC. Not an address: INVALID_FIELD."""
    email = unicodedata.normalize("NFC", typed.strip()).lower()
    visible = all(unicodedata.category(char)[0] != "C" for char in email)
    domain = email.rpartition("@")[2]
    if (
        len(email) > EMAIL_LENGTH
        or ".." in email
        or not visible
        or not _EMAIL.fullmatch(email)
        or not _mailable(domain)
    ):
        raise invalid(field, "an e-mail address of at most 254 characters")
    return email


def _mailable(domain: str) -> bool:
    """Whether mail can be addressed there: a domain in other letters than ASCII has an ASCII form (IDNA 2008)."""
    if domain.isascii():
        return True
    import idna  # large tables, for few addresses

    try:
        return bool(idna.encode(domain))
    except idna.IDNAError:
        return False


def normalise_password(typed: str, field: str) -> str:
    """The password in Unicode NFC (NIST SP 800-63B §3.1.1.2), whole: nothing is trimmed or cut off."""
    password = unicodedata.normalize("NFC", typed)
    if not password or len(password.encode()) > PASSWORD_BYTES:
        raise invalid(field, "1 to 1,024 bytes")
    return password


def masked(email: str) -> str:
    """The address with its local part hidden but for the first letter: enough to recognise one's own."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"
