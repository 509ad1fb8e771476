"""What a new password must not be (NIST SP 800-63B §3.1.1.2): short, well known, or context-specific.

There are no composition rules. A password must not be among an attacker's first guesses: common passwords, words and
names, what can be read off the sign-in page, any of these with a year or a few marks around it, and repetitions.
"""

import unicodedata
from collections.abc import Collection
from functools import cache
from itertools import pairwise

from twofactor_server.domain.refusals import InvalidValue, Reason, Refusal

MAX_BYTES = 1024
"""Bounds the work of hashing; far above the 64 characters that must be allowed."""

MIN_LENGTH = 8
"""Code points (NIST SP 800-63B §3.1.1.2: enough where a second factor is always required)."""

_PADDING = 4
"""How many digits and marks around a known word are ignored: a year, an exclamation mark."""

_MIN_WORD_LENGTH = 3
"""Shorter parts of the product's name and the address (`uk`, `j`) occur in many good passwords."""


def normalise_password(typed: str) -> str:
    """The password in Unicode NFC (NIST SP 800-63B §3.1.1.2), not trimmed or cut. Too long or empty: InvalidValue."""
    password = unicodedata.normalize("NFC", typed)
    if not password or len(password.encode()) > MAX_BYTES:
        raise InvalidValue("1 to 1,024 bytes")
    return password


def check_strength(password: str) -> None:
    """Refuse a normalised password that is easy to guess: PASSWORD_REJECTED with the rule.

    The first call reads the lists of common passwords (0.2 s): run it in a thread.
    """
    if len(password) < MIN_LENGTH:
        raise _rejected(f"at least {MIN_LENGTH} characters")
    period = _smallest_period(password.lower())
    if len(period) < MIN_LENGTH:
        raise _rejected(f"not a repetition: the repeated part has only {len(period)} characters")
    if len({ord(after) - ord(before) for before, after in pairwise(period)} - {1, -1}) == 0:
        raise _rejected("not a sequence of neighbouring letters or digits")
    if _is_one_of(common_words(), period):
        raise _rejected("not a common password, word or name, with or without digits and marks around it")


def check_context_specific(password: str, email: str, product_name: str) -> None:
    """Refuse a normalised password that is the product's name or a part of the normalised address."""
    period = _smallest_period(password.lower())
    local, _, domain = email.partition("@")
    names = (email, local, domain, *_parts(local), *_parts(domain), product_name.lower(), *_parts(product_name.lower()))
    if _is_one_of({name for name in names if len(name) >= _MIN_WORD_LENGTH}, period):
        raise _rejected("not your e-mail address, a part of it or the name of this service")


@cache
def common_words() -> frozenset[str]:
    """The 30,000 most common passwords, and the most common English words and names, in lower case."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # imported late: it slows down the start

    # Only the package's lists are used. A crafted password makes its estimator arbitrarily slow, and the estimator
    # keeps one person's context-specific words for the next person's password.
    return frozenset().union(*FREQUENCY_LISTS.values())


def _smallest_period(password: str) -> str:
    """The part that the password repeats (`password1` in `password1password1`), or the password.

    A string is a repetition if and only if it occurs in its own double before the middle.
    """
    return password[: (password + password).find(password, 1)]


def _is_one_of(words: Collection[str], text: str) -> bool:
    """Whether the text is one of the words with at most four digits or marks around it."""
    most = min(_PADDING, len(text) - 1)
    fronts = next((n for n in range(most) if text[n].isalpha()), most)
    backs = next((n for n in range(most) if text[-1 - n].isalpha()), most)
    cuts = ((front, back) for front in range(fronts + 1) for back in range(backs + 1) if front + back <= _PADDING)
    return any(text[front : len(text) - back] in words for front, back in cuts)


def _parts(name: str) -> list[str]:
    """The words in a name, separated by dots, hyphens and the like."""
    return "".join(c if c.isalnum() else " " for c in name).split()


def _rejected(rule: str) -> Refusal:
    return Refusal(Reason.PASSWORD_REJECTED, rule=rule)
