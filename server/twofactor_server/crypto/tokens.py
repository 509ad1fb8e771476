"""Tokens: 256 random bits behind a readable prefix, the account's id inside. Only their digests are stored."""

import hashlib
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from twofactor_server.domain.refusals import invalid

_RANDOM_BYTES = 32
_CONTENT_BYTES = 16 + _RANDOM_BYTES
_BODY_LENGTH = 64


class TokenKind(StrEnum):
    """What a token opens; the value is its prefix."""

    CHALLENGE = "tfc_"
    SESSION = "tfs_"
    LINK = "tfr_"


@dataclass(frozen=True, slots=True)
class Token:
    """A parsed token. ``text`` is the secret itself and stays out of every representation."""

    text: str = field(repr=False)
    account_id: UUID

    @property
    def digest(self) -> bytes:
        """SHA-256 of the whole token: with 256 random bits in it, a plain digest cannot be searched for."""
        return hashlib.sha256(self.text.encode()).digest()


def new_token(kind: TokenKind, account_id: UUID) -> Token:
    """A fresh token for ``account_id``."""
    body = urlsafe_b64encode(account_id.bytes + secrets.token_bytes(_RANDOM_BYTES)).decode()
    return Token(kind.value + body, account_id)


def parse_token(kind: TokenKind, text: str, name: str) -> Token:
    """The token in ``text``; not one of this kind: INVALID_FIELD for the field ``name``."""
    malformed = invalid(name, f"a token that starts with {kind.value}")
    body = text.removeprefix(kind.value)
    if body == text or len(body) != _BODY_LENGTH:
        raise malformed
    try:
        content = urlsafe_b64decode(body.encode("ascii"))
    except (Base64Error, UnicodeEncodeError):
        raise malformed from None
    # The decoder skips characters of no alphabet: only the one spelling of these bytes is the token.
    if len(content) != _CONTENT_BYTES or urlsafe_b64encode(content).decode() != body:
        raise malformed
    return Token(text, UUID(bytes=content[:16]))
