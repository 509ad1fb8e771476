"""Generation of codes, and the keyed digests (MACs) under which a code is recognised."""

import hashlib
import hmac
import secrets
from uuid import UUID

from twofactor_server.crypto.keyring import KeyPurpose, Keyring
from twofactor_server.domain import backup_codes, email_codes


def new_backup_code() -> str:
    """16 symbols, 80 unbiased random bits (NIST SP 800-63B §4.2.1.1 requires 64)."""
    return "".join(secrets.choice(backup_codes.ALPHABET) for _ in range(backup_codes.LENGTH))


def new_email_code() -> str:
    """6 unbiased digits, with leading zeros (NIST SP 800-63B §3.1.3.2)."""
    return f"{secrets.randbelow(10**email_codes.DIGITS):0{email_codes.DIGITS}d}"


def email_code_mac(keyring: Keyring, account_id: UUID, challenge_id: UUID, code: str) -> tuple[str, bytes]:
    """The id of the current key, and the HMAC-SHA-256 of the code, bound to its account and challenge."""
    key = keyring.current(KeyPurpose.EMAIL_CODE)
    return key.key_id, _mac(key.material, b"sign-in", account_id, challenge_id.bytes + code.encode())


def email_code_matches(
    keyring: Keyring, key_id: str, mac: bytes, account_id: UUID, challenge_id: UUID, code: str
) -> bool:
    """Whether ``mac`` was computed from this code for this challenge. False if the key was retired."""
    key = keyring.find(KeyPurpose.EMAIL_CODE, key_id)
    if key is None:
        return False
    return hmac.compare_digest(mac, _mac(key.material, b"sign-in", account_id, challenge_id.bytes + code.encode()))


def backup_code_fingerprints(keyring: Keyring, account_id: UUID, code: str) -> tuple[bytes, ...]:
    """The keyed digests of a typed code: under the current key first, then under every other live key.

    They only recognise a code that was already used or verified. Accepting a code takes Argon2id.
    """
    return tuple(
        _mac(key.material, b"backup-code", account_id, code.encode())
        for key in keyring.live(KeyPurpose.BACKUP_CODE_FINGERPRINT)
    )


def authorization_code_fingerprint(provider: str, code: str) -> bytes:
    """The digest that recognises a retry with the same authorization code.

    It needs no key: by then the provider has redeemed the code, and it is useless to a thief.
    """
    return hashlib.sha256(f"authorization code\0{provider}\0{code}".encode()).digest()


def _mac(key: bytes, purpose: bytes, account_id: UUID, content: bytes) -> bytes:
    return hmac.digest(key, purpose + b"\0" + account_id.bytes + content, "sha256")
