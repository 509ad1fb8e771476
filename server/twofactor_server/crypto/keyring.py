"""The keyring file: the server's own keys, each with an id and one purpose. It is stored outside the database."""

import json
import os
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

_KEY_BYTES = 32


class KeyPurpose(StrEnum):
    """A key serves one purpose only."""

    TOTP_SECRET = "totp-secret"  # noqa: S105 - a purpose, not a secret
    OUTBOX = "outbox"
    REPLY = "reply"
    EMAIL_CODE = "email-code"
    BACKUP_CODE_FINGERPRINT = "backup-code-fingerprint"


class KeyringError(Exception):
    """The keyring file cannot be used. The message says why and contains no key."""


@dataclass(frozen=True, slots=True)
class Key:
    """256 bits for AES-256-GCM, HMAC-SHA-256 or HKDF-SHA-256, depending on the purpose."""

    key_id: str
    purpose: KeyPurpose
    material: bytes = field(repr=False)


class Keyring:
    """All live keys. The first key of a purpose is the current one: it seals and signs; the others only verify and
    unseal."""

    def __init__(self, keys: Iterable[Key]) -> None:
        self._by_purpose: dict[KeyPurpose, dict[str, Key]] = {purpose: {} for purpose in KeyPurpose}
        for key in keys:
            if self._by_purpose[key.purpose].setdefault(key.key_id, key) is not key:
                raise KeyringError(f"the keyring has the key {key.key_id} twice for {key.purpose}")
        for purpose, keys_of_purpose in self._by_purpose.items():
            if not keys_of_purpose:
                raise KeyringError(f"the keyring has no key for {purpose}")

    def current(self, purpose: KeyPurpose) -> Key:
        return next(iter(self._by_purpose[purpose].values()))

    def live(self, purpose: KeyPurpose) -> tuple[Key, ...]:
        """Every key of the purpose, the current one first."""
        return tuple(self._by_purpose[purpose].values())

    def find(self, purpose: KeyPurpose, key_id: str) -> Key | None:
        """The key with this id; None if it was retired."""
        return self._by_purpose[purpose].get(key_id)

    @classmethod
    def new(cls) -> Self:
        """A keyring with one new key for every purpose."""
        day = datetime.now(UTC).strftime("%Y%m%d")
        return cls(Key(f"{day}-1", purpose, secrets.token_bytes(_KEY_BYTES)) for purpose in KeyPurpose)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Raises KeyringError if the file is unreadable, malformed, or readable by other users."""
        try:
            if os.name == "posix" and path.stat().st_mode & 0o077:
                raise KeyringError(f"{path} can be read by other users: chmod 600 it")
            entries = json.loads(path.read_bytes())["keys"]
            return cls(_key(entry) for entry in entries)
        except OSError as error:
            raise KeyringError(f"{path}: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            raise KeyringError(f"{path} is not a keyring file") from None

    @classmethod
    def load_or_create(cls, path: Path) -> Self:
        """Load the file; create it with mode 0600 if it does not exist. Several processes may call this at once."""
        if not path.exists():
            cls.new()._create(path)
        return cls.load(path)

    def _create(self, path: Path) -> None:
        """Create the file atomically: a crash leaves no partial keyring, and of two processes one wins."""
        entries = [
            {"purpose": key.purpose, "id": key.key_id, "key": b64encode(key.material).decode()}
            for keys in self._by_purpose.values()
            for key in keys.values()
        ]
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump({"version": 1, "keys": entries}, file, indent=2)
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(draft, path)
            except FileExistsError:
                return
        finally:
            draft.unlink()


def _key(entry: Mapping[str, Any]) -> Key:
    material = b64decode(entry["key"], validate=True)
    if len(material) != _KEY_BYTES:
        raise ValueError(len(material))
    key_id = str(entry["id"])
    # Sealed bytes store the length of the key id in one byte.
    if not 0 < len(key_id.encode()) <= 255:
        raise ValueError(len(key_id))
    return Key(key_id, KeyPurpose(entry["purpose"]), material)
