"""URLs to which secrets may be sent."""

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_https_or_loopback(url: object) -> bool:
    """Whether a request to ``url`` is encrypted or does not leave this machine. False for a URL with credentials."""
    if not isinstance(url, str) or not url.isascii() or not url.isprintable() or " " in url:
        return False
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        valid_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    if not host or parts.username is not None or parts.password is not None or not valid_port:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
