"""Tokens: a prefix for the kind, the account id, and 256 random bits. The database stores only their digests."""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

_RANDOM_BYTES = 32
_CONTENT_BYTES = 16 + _RANDOM_BYTES
_BODY_LENGTH = 64


class TokenKind(StrEnum):
    """The value is the prefix of the token."""

    CHALLENGE = "tfc_"
    SESSION = "tfs_"
    LINK = "tfr_"


class MalformedToken(ValueError):
    """The text is not a token of the expected kind. The message names the expected form and not the text."""

    def __init__(self, kind: TokenKind) -> None:
        super().__init__(f"a token that starts with {kind.value}")


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed token. ``text`` is the secret."""

    text: str = field(repr=False)
    account_id: UUID

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole token. With 256 random bits in it, an unkeyed digest cannot be reversed by guessing."""
        return hashlib.sha256(self.text.encode()).digest()


def new_token(kind: TokenKind, account_id: UUID) -> Token:
    body = urlsafe_b64encode(account_id.bytes + secrets.token_bytes(_RANDOM_BYTES)).decode()
    return Token(kind.value + body, account_id)


def parse_token(kind: TokenKind, text: str) -> Token:
    """The token in ``text``. Raises MalformedToken if it is not a token of this kind."""
    body = text.removeprefix(kind.value)
    if body == text or len(body) != _BODY_LENGTH:
        raise MalformedToken(kind)
    try:
        content = urlsafe_b64decode(body.encode("ascii"))
    except (Base64Error, UnicodeEncodeError):
        raise MalformedToken(kind) from None
    # The decoder ignores characters outside the alphabet, so several texts decode to the same bytes; accept only the
    # canonical one.
    if len(content) != _CONTENT_BYTES or urlsafe_b64encode(content).decode() != body:
        raise MalformedToken(kind)
    return Token(text, UUID(bytes=content[:16]))
