"""E-mail addresses: one spelling per address, checked for syntax only.

Whether an address receives mail is proved by the first mailed code.
"""

import unicodedata

from twofactor_server.domain.refusals import InvalidValue

EMAIL_LENGTH = 254


def normalise_email(typed: str) -> str:
    """The address in lower case and Unicode NFC, with its domain in Unicode (IDNA 2008).

    Raises InvalidValue if it is not an e-mail address. Accepts every domain that
    a mail server can have, also ``localhost`` and names that are reserved for private networks.
    """
    import email_validator  # imported late: it takes 40 ms

    # The library's way to accept localhost and the like.
    email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()
    try:
        email = email_validator.validate_email(
            unicodedata.normalize("NFC", typed.strip()).lower(),
            strict=True,
            globally_deliverable=False,
            check_deliverability=False,
        ).normalized
    except email_validator.EmailNotValidError:
        email = ""
    if not 0 < len(email) <= EMAIL_LENGTH:
        raise InvalidValue("an e-mail address of at most 254 characters")
    return email


def masked(email: str) -> str:
    """The address with all but the first character of its local part hidden, so that its owner can recognise it."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"
