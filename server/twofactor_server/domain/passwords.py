"""What a new password must not be (NIST SP 800-63B §3.1.1.2): short, well known, or about its owner.

No rule asks for kinds of characters. What is asked is that a guesser does not come to it early: none of the words and
passwords that guessers try first, nothing that can be read off the sign-in page, none of these with a year behind it,
and nothing that is long only by saying it again.
"""

from collections.abc import Collection
from functools import cache
from itertools import pairwise

from twofactor_server.domain.refusals import Reason, Refusal

CODE_POINTS = 8
"""NIST SP 800-63B §3.1.1.2: enough where a second factor is always asked."""

_PADDING = 4
"""A known word stays known with so many digits and marks around it: a year, an exclamation mark."""

_SHORTEST_WORD = 3
"""Of the product's name and the address. Shorter parts of them (`uk`, `j`) stand in many a good password."""


def check_new_password(password: str, field: str) -> None:
    """Refuse a password, in normal form, that anybody could think of: PASSWORD_REJECTED, and the rule says why.

    The first call reads the lists of what is known (0.2 s): make it in a thread.
    """
    if len(password) < CODE_POINTS:
        raise _rejected(field, f"at least {CODE_POINTS} characters")
    said_once = _said_once(password.lower())
    if len(said_once) < CODE_POINTS:
        raise _rejected(field, f"not the same few characters again and again: repeated, {len(said_once)} count once")
    if len({ord(after) - ord(before) for before, after in pairwise(said_once)} - {1, -1}) == 0:
        raise _rejected(field, "not a row of neighbouring letters or digits")
    if _is_one_of(known_words(), said_once):
        raise _rejected(field, "not a well-known password, word or name, also not with digits or marks around it")


def check_not_about(password: str, field: str, email: str, product_name: str) -> None:
    """Refuse a password, in normal form, that is the product's name or a part of the (normalised) address."""
    said_once = _said_once(password.lower())
    local, _, domain = email.partition("@")
    names = (email, local, domain, *_parts(local), *_parts(domain), product_name.lower(), *_parts(product_name.lower()))
    if _is_one_of({name for name in names if len(name) >= _SHORTEST_WORD}, said_once):
        raise _rejected(field, "not your address, a part of it or the name of this service")


@cache
def known_words() -> frozenset[str]:
    """The 30,000 most common passwords, and the most common English words and names, in lower case."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # late: start-up stays quick

    # Of the package, only its lists are of use here. Its estimate takes a time that a typed password can make
    # arbitrarily long, and keeps the words about one owner where the next one's password is judged.
    return frozenset().union(*FREQUENCY_LISTS.values())


def _said_once(password: str) -> str:
    """What the password repeats, as `password1` in `password1password1`; else the password.

    A text is a repetition exactly if it is found in its own double before the middle.
    """
    return password[: (password + password).find(password, 1)]


def _is_one_of(words: Collection[str], text: str) -> bool:
    """Whether the password is one of the words, with at most four digits or marks before and after it."""
    most = min(_PADDING, len(text) - 1)
    fronts = next((n for n in range(most) if text[n].isalpha()), most)
    backs = next((n for n in range(most) if text[-1 - n].isalpha()), most)
    cuts = ((front, back) for front in range(fronts + 1) for back in range(backs + 1) if front + back <= _PADDING)
    return any(text[front : len(text) - back] in words for front, back in cuts)


def _parts(name: str) -> list[str]:
    """The words in a name that has dots, hyphens and the like between them."""
    return "".join(c if c.isalnum() else " " for c in name).split()


def _rejected(field: str, rule: str) -> Refusal:
    return Refusal(Reason.PASSWORD_REJECTED, field=field, rule=rule)
