"""Backup codes: their alphabet, what may be typed, and the budget of wrong ones."""

import unicodedata
from datetime import datetime

from twofactor_server.domain import limits
from twofactor_server.domain.refusals import InvalidValue, Reason, Refusal

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32 in lower case: no i, l, o, u."""

LENGTH = 16
"""Symbols of 5 bits: 80 random bits, above the 64 that NIST SP 800-63B §4.2.1.1 asks of a saved recovery code."""

_LOOK_ALIKES = str.maketrans("oil", "011")
_MINUS_SIGN = "\N{MINUS SIGN}"


def normalise(typed: str) -> str:
    """The 16 symbols in ``typed``; case, spaces, tabs and dashes of any kind are ignored.

    Full-width and other look-alike forms are folded (Unicode NFKC, decimal digits of any script), and o, i, l are read
    as Crockford's base32 says. Anything else: InvalidValue, which does not count as a guess.
    """
    symbols = "".join(_symbol(c) for c in unicodedata.normalize("NFKC", typed).lower())
    symbols = symbols.translate(_LOOK_ALIKES)
    if len(symbols) != LENGTH or not set(symbols) <= set(ALPHABET):
        raise InvalidValue("four groups of four letters and digits, like abcd 1234 ef56 7890")
    return symbols


def grouped(code: str) -> str:
    """The code as it is shown: four groups of four."""
    return " ".join(code[i : i + 4] for i in range(0, LENGTH, 4))


def check_budget(*, account: list[datetime], network: list[datetime], now: datetime) -> None:
    """Refuse if the distinct codes of the last hour, the one being tried included, exceed a budget.

    Each list holds one time per distinct code that is wrong or not verified yet, oldest first.
    """
    allowed = limits.next_allowed(
        now,
        # Without the newest: the code being tried is in the lists already.
        (limits.BACKUP_CODES_PER_ACCOUNT, account[:-1]),
        (limits.BACKUP_CODES_PER_NETWORK, network[:-1]),
    )
    if allowed > now:
        raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=allowed - now)


def _symbol(char: str) -> str:
    category = unicodedata.category(char)
    # Cf are invisible marks (soft hyphen, zero-width space, direction marks) that come along when text is copied.
    if char.isspace() or char == _MINUS_SIGN or category in ("Pd", "Cf"):
        return ""
    return str(unicodedata.decimal(char)) if category == "Nd" else char
