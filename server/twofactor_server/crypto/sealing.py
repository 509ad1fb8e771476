"""AES-256-GCM for values that the database must store and a database thief must not be able to read.

``seal`` uses a key of the keyring: TOTP secrets and outbox payloads. ``seal_reply`` uses a key that only the holder of
the caller's token can derive, so the database and the keyring together do not decrypt a stored reply.
"""

import hmac
import secrets
from dataclasses import dataclass
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from twofactor_server.crypto.keyring import Key, KeyPurpose, Keyring
from twofactor_server.crypto.tokens import Token

_NONCE_BYTES = 12


class UnsealError(Exception):
    """Decryption failed: wrong key, wrong associated data, or altered bytes."""


class UnknownKeyError(UnsealError):
    """The keyring has no key with the id in the sealed bytes: it was retired, or this server does not have it yet."""


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What a stored reply is bound to. ``scope_id`` is the id of the challenge or the session."""

    account_id: UUID
    scope_id: UUID
    generation: int
    method: str
    request_id: UUID

    @property
    def associated_data(self) -> bytes:
        return self.account_id.bytes + self.scope_id.bytes + self.generation.to_bytes(8, "big")

    @property
    def key_info(self) -> bytes:
        """The ``info`` of HKDF: every method and request id has a key of its own."""
        return self.method.encode() + b"\0" + self.request_id.bytes


def seal(keyring: Keyring, purpose: KeyPurpose, associated_data: bytes, plaintext: bytes) -> bytes:
    """Encrypt with the current key. ``associated_data`` (ids of account and record) ties the bytes to one row."""
    key = keyring.current(purpose)
    key_id = key.key_id.encode()
    ciphertext = _encrypt(key.material, _bind(purpose, associated_data), plaintext)
    return bytes([len(key_id)]) + key_id + ciphertext


def unseal(keyring: Keyring, purpose: KeyPurpose, associated_data: bytes, sealed: bytes) -> bytes:
    """The plaintext given to ``seal``. Raises UnsealError if anything differs."""
    if not sealed:
        raise UnsealError
    end = 1 + sealed[0]
    key = keyring.find(purpose, sealed[1:end].decode(errors="replace"))
    if key is None:
        raise UnknownKeyError
    return _decrypt(key.material, _bind(purpose, associated_data), sealed[end:])


def seal_reply(keyring: Keyring, token: Token, context: ReplyContext, plaintext: bytes) -> tuple[str, bytes]:
    """The id of the reply key used, and the sealed bytes."""
    key = keyring.current(KeyPurpose.REPLY)
    return key.key_id, _encrypt(_reply_key(key, token, context), context.associated_data, plaintext)


def unseal_reply(keyring: Keyring, key_id: str, token: Token, context: ReplyContext, sealed: bytes) -> bytes:
    """The plaintext given to ``seal_reply``. Raises UnsealError without the same token, or once the key is retired."""
    key = keyring.find(KeyPurpose.REPLY, key_id)
    if key is None:
        raise UnknownKeyError
    return _decrypt(_reply_key(key, token, context), context.associated_data, sealed)


def content_fingerprint(token: Token, content: bytes) -> bytes:
    """The MAC that recognises the content of an idempotent request.

    The key is derived from the token alone. With a server key, someone who steals database and keyring could use it to
    test guessed passwords.
    """
    key = _derive(token, salt=b"", info=b"content fingerprint")
    return hmac.digest(key, content, "sha256")


def _bind(purpose: KeyPurpose, associated_data: bytes) -> bytes:
    return purpose.encode() + b"\0" + associated_data


def _reply_key(key: Key, token: Token, context: ReplyContext) -> bytes:
    return _derive(token, salt=key.material, info=context.key_info)


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
