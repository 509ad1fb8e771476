"""Sealing: AES-256-GCM for what the database must hold and its thief must not read.

Two kinds. ``seal`` uses a key of the keyring: TOTP secrets and outbox payloads. ``seal_reply`` uses a key that
only the holder of the caller's token can derive: not even the database together with the keyring opens a reply.
"""

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from twofactor_server.crypto.keyring import Key, Keyring, Purpose
from twofactor_server.crypto.tokens import Token

_NONCE_BYTES = 12


class UnsealError(Exception):
    """The bytes do not open: another key, another place, or altered."""


class UnknownKey(UnsealError):
    """The keyring has no key of the id that the bytes name: retired here, or not come here yet."""


@dataclass(frozen=True, slots=True)
class ReplyPlace:
    """Where a reply belongs. It opens nowhere else. ``scope_id`` is the challenge's or the session's id."""

    account_id: UUID
    scope_id: UUID
    generation: int
    method: str
    request_id: UUID

    @property
    def _associated_data(self) -> bytes:
        return self.account_id.bytes + self.scope_id.bytes + self.generation.to_bytes(8, "big")

    @property
    def _info(self) -> bytes:
        return self.method.encode() + b"\0" + self.request_id.bytes


def seal(keyring: Keyring, purpose: Purpose, place: bytes, plaintext: bytes) -> bytes:
    """Seal for ``place`` (account and record ids): swapped into another row, the bytes do not open."""
    key = keyring.current(purpose)
    key_id = key.key_id.encode()
    return bytes([len(key_id)]) + key_id + _encrypt(key.material, purpose.encode() + b"\0" + place, plaintext)


def unseal(keyring: Keyring, purpose: Purpose, place: bytes, sealed: bytes) -> bytes:
    """What ``seal`` sealed for this purpose and place; anything else: UnsealError."""
    if not sealed:
        raise UnsealError
    end = 1 + sealed[0]
    key = keyring.find(purpose, sealed[1:end].decode(errors="replace"))
    if key is None:
        raise UnknownKey
    return _decrypt(key.material, purpose.encode() + b"\0" + place, sealed[end:])


def seal_reply(keyring: Keyring, token: Token, place: ReplyPlace, plaintext: bytes) -> tuple[str, bytes]:
    """The id of the reply key used, and the sealed bytes."""
    key = keyring.current(Purpose.REPLY)
    return key.key_id, _encrypt(_reply_key(key, token, place), place._associated_data, plaintext)


def unseal_reply(keyring: Keyring, key_id: str, token: Token, place: ReplyPlace, sealed: bytes) -> bytes:
    """The reply, for the holder of the token; UnsealError for anybody else, or once the reply key is retired."""
    key = keyring.find(Purpose.REPLY, key_id)
    if key is None:
        raise UnknownKey
    return _decrypt(_reply_key(key, token, place), place._associated_data, sealed)


def content_fingerprint(token: Token, content: bytes) -> bytes:
    """What recognises the content of a logical call. Keyed by the token alone: under a key of the server's own it
    would let the thief of database and keyring try passwords against it."""
    key = _derive(token, salt=b"", info=b"content fingerprint")
    return hmac.digest(key, content, "sha256")


def _reply_key(key: Key, token: Token, place: ReplyPlace) -> bytes:
    return _derive(token, salt=key.material, info=place._info)


def _derive(token: Token, *, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=salt, info=info).derive(token.text.encode())


def _encrypt(key: bytes, associated_data: bytes, plaintext: bytes) -> bytes:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, associated_data)


def _decrypt(key: bytes, associated_data: bytes, sealed: bytes) -> bytes:
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], associated_data)
    except (InvalidTag, ValueError):
        raise UnsealError from None
