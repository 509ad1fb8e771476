"""Sealed bytes decrypt only with the same key, purpose, associated data and (for replies) token, and if unaltered."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.crypto.keyring import Key, KeyPurpose, Keyring
from twofactor_server.crypto.sealing import (
    ReplyContext,
    UnsealError,
    content_fingerprint,
    seal,
    seal_reply,
    unseal,
    unseal_reply,
)
from twofactor_server.crypto.tokens import TokenKind, new_token

ACCOUNT = uuid4()
KEYRING = Keyring.new()
SECRET = b"a TOTP secret, 20 by"
SEALED = seal(KEYRING, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, SECRET)

TOKEN = new_token(TokenKind.CHALLENGE, ACCOUNT)
CONTEXT = ReplyContext(ACCOUNT, uuid4(), generation=2, method="UseBackupCode", request_id=uuid4())
KEY_ID, REPLY = seal_reply(KEYRING, TOKEN, CONTEXT, b"the new backup code")


def rotated(purpose: KeyPurpose, *, keep_old: bool) -> Keyring:
    """The keyring with a new current key of the purpose, before or instead of the old one."""
    fresh = Key("fresh", purpose, bytes(range(32)))
    others = [KEYRING.current(other) for other in KeyPurpose if other is not purpose]
    return Keyring([fresh, *others, *([KEYRING.current(purpose)] if keep_old else [])])


def test_sealed_bytes_decrypt_with_the_same_associated_data() -> None:
    assert unseal(KEYRING, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, SEALED) == SECRET
    assert SECRET not in SEALED


def test_bytes_copied_to_another_row_do_not_decrypt() -> None:
    """Someone with write access to the database cannot give an account the secret of another one."""
    with pytest.raises(UnsealError):
        unseal(KEYRING, KeyPurpose.TOTP_SECRET, uuid4().bytes, SEALED)


def test_another_purpose_does_not_decrypt() -> None:
    """Not even if an operator uses one key for two purposes, because the purpose is authenticated."""
    one_key = Keyring(Key("1", purpose, b"k" * 32) for purpose in KeyPurpose)
    sealed = seal(one_key, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, SECRET)
    with pytest.raises(UnsealError):
        unseal(one_key, KeyPurpose.OUTBOX, ACCOUNT.bytes, sealed)


def test_after_rotation_the_old_key_decrypts_and_the_new_one_encrypts() -> None:
    both = rotated(KeyPurpose.TOTP_SECRET, keep_old=True)
    assert unseal(both, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, SEALED) == SECRET
    again = seal(both, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, SECRET)
    assert b"fresh" in again
    retired = rotated(KeyPurpose.TOTP_SECRET, keep_old=False)
    assert unseal(retired, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, again) == SECRET
    with pytest.raises(UnsealError):
        unseal(retired, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, SEALED)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_one_altered_byte_is_detected(position: int, change: int) -> None:
    altered = bytearray(SEALED)
    altered[position] ^= change
    with pytest.raises(UnsealError):
        unseal(KEYRING, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, bytes(altered))


@given(st.binary(max_size=80) | st.integers(0, len(SEALED) - 1).map(lambda end: SEALED[:end]))
def test_arbitrary_bytes_do_not_decrypt(content: bytes) -> None:
    """Including empty, truncated and non-UTF-8 values."""
    with pytest.raises(UnsealError):
        unseal(KEYRING, KeyPurpose.TOTP_SECRET, ACCOUNT.bytes, content)


def test_equal_plaintexts_have_different_ciphertexts() -> None:
    """The nonce is 96 random bits."""
    drawn = {seal(KEYRING, KeyPurpose.OUTBOX, b"associated data", SECRET) for _ in range(1000)}
    assert len(drawn) == 1000


def test_a_reply_decrypts_with_its_token() -> None:
    assert unseal_reply(KEYRING, KEY_ID, TOKEN, CONTEXT, REPLY) == b"the new backup code"


def test_a_reply_does_not_decrypt_with_another_token() -> None:
    """Not even with another token of the same account."""
    with pytest.raises(UnsealError):
        unseal_reply(KEYRING, KEY_ID, new_token(TokenKind.CHALLENGE, ACCOUNT), CONTEXT, REPLY)


@pytest.mark.parametrize(
    "other",
    [
        {"account_id": UUID(int=1)},
        {"scope_id": UUID(int=1)},
        {"generation": 3},
        {"method": "VerifyEmailCode"},
        {"request_id": UUID(int=1)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_reply_does_not_decrypt_in_another_context(other: dict[str, object]) -> None:
    with pytest.raises(UnsealError):
        unseal_reply(KEYRING, KEY_ID, TOKEN, replace(CONTEXT, **other), REPLY)  # type: ignore[arg-type]


@given(st.integers(0, len(REPLY) - 1), st.integers(1, 255))
def test_an_altered_reply_does_not_decrypt(position: int, change: int) -> None:
    altered = bytearray(REPLY)
    altered[position] ^= change
    with pytest.raises(UnsealError):
        unseal_reply(KEYRING, KEY_ID, TOKEN, CONTEXT, bytes(altered))


def test_a_reply_needs_its_key_in_addition_to_the_token() -> None:
    """The token alone does not decrypt a stolen database. Retiring the key makes its replies unreadable."""
    assert unseal_reply(rotated(KeyPurpose.REPLY, keep_old=True), KEY_ID, TOKEN, CONTEXT, REPLY)
    with pytest.raises(UnsealError):
        unseal_reply(rotated(KeyPurpose.REPLY, keep_old=False), KEY_ID, TOKEN, CONTEXT, REPLY)
    same_id = Keyring([Key(KEY_ID, purpose, b"x" * 32) for purpose in KeyPurpose])
    with pytest.raises(UnsealError):
        unseal_reply(same_id, KEY_ID, TOKEN, CONTEXT, REPLY)


def test_a_content_fingerprint_depends_on_the_token_only() -> None:
    """It does not use the keyring: someone who steals database and keyring cannot test passwords with it."""
    first = content_fingerprint(TOKEN, b"ChangePassword\0correct horse")
    assert first == content_fingerprint(TOKEN, b"ChangePassword\0correct horse")
    assert first != content_fingerprint(TOKEN, b"ChangePassword\0correct horse ")
    assert first != content_fingerprint(new_token(TokenKind.CHALLENGE, ACCOUNT), b"ChangePassword\0correct horse")


def test_method_and_request_id_are_separated() -> None:
    """Two contexts never derive their key from the same bytes: NUL separates the method and the id."""
    one = replace(CONTEXT, method="A")
    other = replace(CONTEXT, method="A\0")
    key_id, sealed = seal_reply(KEYRING, TOKEN, one, b"x")
    with pytest.raises(UnsealError):
        unseal_reply(KEYRING, key_id, TOKEN, other, sealed)
