"""Addresses on the web that secrets may be sent to."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_private_to_us(url: object) -> bool:
    """Whether nobody on the way can read what is sent there: https, or plain http that does not leave the machine."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        right = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or not right:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
