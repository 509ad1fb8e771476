"""Times, spans, and text from outside, as they stand in a mail."""

import ipaddress
import re
import unicodedata
from datetime import UTC, datetime, timedelta

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
"""Marks in the user agent and their meaning. The first one found counts: Edge says Chrome and Safari too."""

_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "macOS",
    "Linux": "Linux",
}

# One word without a dot, and a version: a program's name that no mail reader turns into a link.
_PROGRAM = re.compile(r"[A-Za-z][A-Za-z-]{1,30}(?:/[0-9.]{1,15})?")


def one_line(text: str, limit: int = 1000) -> str:
    """``text`` on one line, cut to ``limit`` characters.

    Controls, line breaks of every alphabet and invisible marks (which could turn the reading direction)
    become spaces.
    """
    harmless = "".join(" " if unicodedata.category(c)[0] == "C" else c for c in text)
    return " ".join(harmless.split())[:limit]


def moment(time: datetime) -> str:
    """As in ``7 November 2025, 09:05 UTC``."""
    time = time.astimezone(UTC)
    return f"{time.day} {time:%B %Y, %H:%M} UTC"


def span(length: timedelta) -> str:
    """In the largest unit that measures it exactly: ``24 hours``, ``5 minutes``, ``90 seconds``."""
    count, unit = round(length.total_seconds()), "second"
    for larger in ("minute", "hour"):
        if count % 60:
            break
        count, unit = count // 60, larger
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def device(user_agent: str) -> str:
    """``Firefox on Windows``; "" if unknown.

    Said in our words only. The user agent is the stranger's own text: quoted, it could carry a sentence or an
    address to click on into a mail that its reader trusts.
    """
    known = [next((name for mark, name in marks.items() if mark in user_agent), "") for marks in (_BROWSERS, _SYSTEMS)]
    if any(known):
        return " on ".join(filter(None, known))
    return user_agent if _PROGRAM.fullmatch(user_agent) else ""


def internet_address(text: str) -> str:
    """The IP address in its usual form; "" if it is none. An IPv6 zone is left out: it may say anything."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""
