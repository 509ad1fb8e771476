"""The request_id of a logical call: the same form filled in the same way is the same call, even after a restart."""

import unicodedata
from uuid import UUID, uuid4, uuid5

# UUIDv5 of the URL namespace and `urn:twofactor:v1:request-id`.
NAMESPACE = UUID("b2ea32d5-ca75-5663-818e-84620e641ead")

_LOOK_ALIKES = str.maketrans("oil", "011")
_MINUS_SIGN = "\N{MINUS SIGN}"


def derived(token: str, method: str, content: str) -> str:
    """UUIDv5 of the token that opens the reply, the method, and what the person typed, in its normal form.

    The token's 256 random bits keep the code from being guessed out of the result.
    """
    return str(uuid5(NAMESPACE, "\n".join((token, method, normal_form(content)))))


def minted() -> str:
    """A new one, for a form that holds nothing to derive it from. Keep it with the form."""
    return str(uuid4())


def normal_form(typed: str) -> str:
    """What a typed code means, as the contract reads it: without case, spaces, dashes and look-alikes.

    It only has to be the same for the same code; the server judges what a code is.
    """
    folded = unicodedata.normalize("NFKC", typed).lower()
    kept = (c for c in folded if not _unseen(c))
    symbols = (str(unicodedata.decimal(c)) if unicodedata.category(c) == "Nd" else c for c in kept)
    return "".join(symbols).translate(_LOOK_ALIKES)


def _unseen(char: str) -> bool:
    return char.isspace() or char == _MINUS_SIGN or unicodedata.category(char) in ("Pd", "Cf")
