"""Backup codes: their alphabet, what an owner may type, and the budget of wrong ones."""

import unicodedata
from datetime import datetime, timedelta

from twofactor_server.domain.refusals import Reason, Refusal, invalid

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32 in lower case: no i, l, o, u."""

LENGTH = 16
"""Symbols of 5 bits: 80 random bits, above the 64 that NIST SP 800-63B §4.2.1.1 asks of a saved recovery code."""

BUDGET_SPAN = timedelta(hours=1)
ACCOUNT_BUDGET = 80
PREFIX_BUDGET = 30
REJUDGEMENTS = 20
"""How often one code on one challenge is judged again for free after a crash left it without a verdict."""

UNDER_WAY = timedelta(minutes=1)
"""How long after its challenge's time is up a charged attempt may be repeated: longer than any call lives, so that no
retry is refused whose first try may still succeed."""

REPLY_LIFETIME = timedelta(hours=24)

_LOOK_ALIKES = str.maketrans("oil", "011")
_MINUS_SIGN = "\N{MINUS SIGN}"


def normalise(typed: str) -> str:
    """The 16 symbols that ``typed`` means: case, spaces, tabs and dashes of any kind do not matter.

    Full-width and other look-alike forms are folded (Unicode NFKC, decimal digits of any script), and
    o, i, l read as Crockford says. Anything else is INVALID_FIELD and was not a guess.
    """
    symbols = "".join(_symbol(c) for c in unicodedata.normalize("NFKC", typed).lower())
    symbols = symbols.translate(_LOOK_ALIKES)
    if len(symbols) != LENGTH or not set(symbols) <= set(ALPHABET):
        raise invalid("backup_code", "four groups of four letters and digits, like abcd 1234 ef56 7890")
    return symbols


def grouped(code: str) -> str:
    """The code as it is shown: four short groups."""
    return " ".join(code[i : i + 4] for i in range(0, LENGTH, 4))


def check_budget(*, account: list[datetime], prefix: list[datetime], now: datetime) -> None:
    """Refuse if the distinct wrong codes of the last hour, this one included, exceed a budget.

    Each list holds one time a distinct code (pending or judged wrong), oldest first.
    """
    for times, budget in ((account, ACCOUNT_BUDGET), (prefix, PREFIX_BUDGET)):
        if len(times) > budget:
            # The budget frees one place when the oldest code that is one too many leaves the hour.
            leaves = times[len(times) - budget - 1] + BUDGET_SPAN
            raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=leaves - now)


def _symbol(char: str) -> str:
    category = unicodedata.category(char)
    # Cf are marks that nobody sees (soft hyphen, zero-width space, direction marks): copying brings them along.
    if char.isspace() or char == _MINUS_SIGN or category in ("Pd", "Cf"):
        return ""
    return str(unicodedata.decimal(char)) if category == "Nd" else char
