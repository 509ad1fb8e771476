"""E-mail addresses for the headers From and To."""

import re
from email.headerregistry import Address
from email.utils import getaddresses

from twofactor_server.mail.formatting import one_line

# RFC 5322's special characters except the dot, and white space. Each could make a header hold several addresses.
_SPECIAL = re.compile(r"[\s()<>@,:;\"\[\]\\]")


def header_address(text: str, display_name: str = "") -> Address:
    """The address in ``text``. Raises ValueError, without quoting it, unless ``text`` is exactly one address.

    A domain with non-ASCII characters is encoded by IDNA 2008. The standard library's codec implements IDNA 2003,
    which would mail the code for straße.example to strasse.example, a different domain.
    """
    local, _, domain = text.rpartition("@")
    if not local or not domain or _SPECIAL.search(local + domain) or one_line(text) != text:
        raise ValueError("not an e-mail address")
    return Address(display_name, username=local, domain=domain if domain.isascii() else _ascii_domain(domain))


def sender(text: str, display_name: str) -> Address:
    """The address in ``text``: plain, or in angle brackets after a name. ``display_name`` is used without a name.

    Raises ValueError unless ``text`` is exactly one address.
    """
    found = getaddresses([text])
    if len(found) != 1:
        raise ValueError("not one e-mail address")
    name, address = found[0]
    return header_address(address, one_line(name) or display_name)


def _ascii_domain(domain: str) -> str:
    import idna  # imported late: its tables are large and rarely needed

    try:
        return idna.encode(domain.lower()).decode()
    except idna.IDNAError:
        raise ValueError("not an e-mail address") from None
