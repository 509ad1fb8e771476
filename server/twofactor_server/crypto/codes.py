"""Making codes from the operating system's CSPRNG, and the keyed digests under which they are recognised."""

import hashlib
import hmac
import secrets
from uuid import UUID

from twofactor_server.crypto.keyring import Keyring, Purpose
from twofactor_server.domain import backup_codes, email_codes


def new_backup_code() -> str:
    """16 symbols, 80 unbiased random bits (NIST SP 800-63B §4.2.1.1 asks 64)."""
    return "".join(secrets.choice(backup_codes.ALPHABET) for _ in range(backup_codes.LENGTH))


def new_email_code() -> str:
    """6 digits, unbiased, leading zeros kept (NIST SP 800-63B §3.1.3.2)."""
    return f"{secrets.randbelow(10**email_codes.DIGITS):0{email_codes.DIGITS}d}"


def email_code_mac(keyring: Keyring, account_id: UUID, challenge_id: UUID, code: str) -> tuple[str, bytes]:
    """The current key's id and the code's HMAC-SHA-256, bound to its challenge and its purpose, sign-in."""
    key = keyring.current(Purpose.EMAIL_CODE)
    return key.key_id, _mac(key.material, b"sign-in", account_id, challenge_id.bytes + code.encode())


def email_code_matches(
    keyring: Keyring, key_id: str, mac: bytes, account_id: UUID, challenge_id: UUID, code: str
) -> bool:
    """Whether ``mac`` was made of this code for this challenge. A key that is gone matches nothing."""
    key = keyring.find(Purpose.EMAIL_CODE, key_id)
    if key is None:
        return False
    return hmac.compare_digest(mac, _mac(key.material, b"sign-in", account_id, challenge_id.bytes + code.encode()))


def backup_code_fingerprints(keyring: Keyring, account_id: UUID, code: str) -> tuple[bytes, ...]:
    """The keyed digests by which a typed code is recognised: the current key's first, then every other live key's.

    They serve to recognise a code already used or judged, never to accept one: that is Argon2id's work.
    """
    return tuple(
        _mac(key.material, b"backup-code", account_id, code.encode())
        for key in keyring.live(Purpose.BACKUP_CODE_FINGERPRINT)
    )


def authorization_code_fingerprint(provider: str, code: str) -> bytes:
    """What recognises the repeat of a call that carried this code. Not keyed: by then the code is spent at its
    provider, and opens nothing."""
    return hashlib.sha256(f"authorization code\0{provider}\0{code}".encode()).digest()


def _mac(key: bytes, purpose: bytes, account_id: UUID, content: bytes) -> bytes:
    return hmac.digest(key, purpose + b"\0" + account_id.bytes + content, "sha256")
