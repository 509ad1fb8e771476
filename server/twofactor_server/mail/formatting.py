"""Times, durations and untrusted text in the form in which a mail shows them."""

import ipaddress
import re
import unicodedata
from datetime import UTC, datetime, timedelta

# Substrings of the user agent. The first match counts, because Edge's user agent also contains Chrome and Safari.
_BROWSERS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "Linux": "Linux",
}

# One word without a dot, and a version: a program name that no mail reader turns into a link.
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z-]{1,30}(?:/[0-9.]{1,15})?")


def one_line(text: str, limit: int = 1000) -> str:
    """``text`` on one line, truncated to ``limit`` characters.

    Control characters, line breaks and invisible characters (some reverse the reading direction) become spaces.
    """
    printable = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)
    return " ".join(printable.split())[:limit]


def format_time(time: datetime) -> str:
    """For example ``7 November 2025, 09:05 UTC``."""
    time = time.astimezone(UTC)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def format_duration(duration: timedelta) -> str:
    """In the largest unit without a remainder: ``24 hours``, ``5 minutes``, ``90 seconds``."""
    count, unit = round(duration.total_seconds()), "second"
    for larger in ("minute", "hour"):
        if count % 60:
            break
        count, unit = count // 60, larger
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def device(user_agent: str) -> str:
    """For example ``Firefox on Windows``; "" if unknown.

    A user agent is never quoted: it is an attacker's text, and could put a sentence or a link into a mail that the
    reader trusts.
    """
    known = [next((name for mark, name in names.items() if mark in user_agent), "") for names in (_BROWSERS, _SYSTEMS)]
    if any(known):
        return " on ".join(filter(None, known))
    return user_agent if _PROGRAM.fullmatch(user_agent) else ""


def canonical_ip(text: str) -> str:
    """The IP address in canonical form; "" if ``text`` is not one. Drops the IPv6 zone, which may be any text."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""
