"""Addresses in mail headers."""

import re
from email.headerregistry import Address
from email.utils import getaddresses

from twofactor_server.mail.wording import one_line

# What may not stand in an address for it to be exactly one: RFC 5322's specials but the dot, and spaces.
_SPECIAL = re.compile(r"[\s()<>@,:;\"\[\]\\]")


def header_address(text: str, display_name: str = "") -> Address:
    """The one address that ``text`` is. Raises ValueError, which does not repeat it, if it is none.

    A domain in other letters than ASCII is written in its ASCII form by IDNA 2008. (The standard library's
    codec is IDNA 2003, which would mail the code for straße.example to the strangers of strasse.example.)
    """
    local, _, domain = text.rpartition("@")
    plain = bool(local and domain) and not _SPECIAL.search(local + domain)
    if not plain or one_line(text) != text:
        raise ValueError("not an e-mail address")
    return Address(display_name, username=local, domain=domain if domain.isascii() else _ascii(domain))


def sender(text: str, display_name: str) -> Address:
    """The sender that ``text`` is: an address, or a name and an address in angle brackets.

    Without a name it gets ``display_name``. Raises ValueError if it is none, or several.
    """
    found = getaddresses([text])
    if len(found) != 1:
        raise ValueError("not one e-mail address")
    name, address = found[0]
    return header_address(address, one_line(name) or display_name)


def _ascii(domain: str) -> str:
    import idna  # large tables, for few addresses

    try:
        return idna.encode(domain.lower()).decode()
    except idna.IDNAError:
        raise ValueError("not an e-mail address") from None
