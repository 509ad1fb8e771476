"""What is sealed opens in its place, under its keys, for its holder, unaltered: nowhere and for nobody else."""

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.crypto.keyring import Key, Keyring, Purpose
from twofactor_server.crypto.sealing import (
    ReplyPlace,
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
SEALED = seal(KEYRING, Purpose.TOTP_SECRET, ACCOUNT.bytes, SECRET)

TOKEN = new_token(TokenKind.CHALLENGE, ACCOUNT)
PLACE = ReplyPlace(ACCOUNT, uuid4(), generation=2, method="UseBackupCode", request_id=uuid4())
KEY_ID, REPLY = seal_reply(KEYRING, TOKEN, PLACE, b"the new backup code")


def rotated(purpose: Purpose, *, keep_old: bool) -> Keyring:
    """The keyring with a new current key of the purpose, before or instead of the old one."""
    fresh = Key("fresh", purpose, bytes(range(32)))
    others = [KEYRING.current(other) for other in Purpose if other is not purpose]
    return Keyring([fresh, *others, *([KEYRING.current(purpose)] if keep_old else [])])


def test_what_is_sealed_opens_in_its_place() -> None:
    assert unseal(KEYRING, Purpose.TOTP_SECRET, ACCOUNT.bytes, SEALED) == SECRET
    assert SECRET not in SEALED


def test_swapped_into_another_row_it_does_not_open() -> None:
    """Whoever can write to the database cannot give an account somebody else's secret."""
    with pytest.raises(UnsealError):
        unseal(KEYRING, Purpose.TOTP_SECRET, uuid4().bytes, SEALED)


def test_under_another_purpose_it_does_not_open() -> None:
    """Not even if an operator gave two purposes one key: the purpose is part of what is authenticated."""
    one_key = Keyring(Key("1", purpose, b"k" * 32) for purpose in Purpose)
    sealed = seal(one_key, Purpose.TOTP_SECRET, ACCOUNT.bytes, SECRET)
    with pytest.raises(UnsealError):
        unseal(one_key, Purpose.OUTBOX, ACCOUNT.bytes, sealed)


def test_after_a_rotation_the_old_key_opens_and_the_new_one_seals() -> None:
    both = rotated(Purpose.TOTP_SECRET, keep_old=True)
    assert unseal(both, Purpose.TOTP_SECRET, ACCOUNT.bytes, SEALED) == SECRET
    again = seal(both, Purpose.TOTP_SECRET, ACCOUNT.bytes, SECRET)
    assert b"fresh" in again
    retired = rotated(Purpose.TOTP_SECRET, keep_old=False)
    assert unseal(retired, Purpose.TOTP_SECRET, ACCOUNT.bytes, again) == SECRET
    with pytest.raises(UnsealError):
        unseal(retired, Purpose.TOTP_SECRET, ACCOUNT.bytes, SEALED)


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_one_altered_byte_anywhere_is_noticed(position: int, change: int) -> None:
    altered = bytearray(SEALED)
    altered[position] ^= change
    with pytest.raises(UnsealError):
        unseal(KEYRING, Purpose.TOTP_SECRET, ACCOUNT.bytes, bytes(altered))


@given(st.binary(max_size=80) | st.integers(0, len(SEALED) - 1).map(lambda end: SEALED[:end]))
def test_what_was_never_sealed_does_not_open(content: bytes) -> None:
    """ "Anything else: UnsealError", also nothing at all, a cut row, or bytes that are no text."""
    with pytest.raises(UnsealError):
        unseal(KEYRING, Purpose.TOTP_SECRET, ACCOUNT.bytes, content)


def test_one_text_is_never_sealed_to_the_same_bytes() -> None:
    """A nonce is used once; 96 random bits of them."""
    drawn = {seal(KEYRING, Purpose.OUTBOX, b"place", SECRET) for _ in range(1000)}
    assert len(drawn) == 1000


def test_a_reply_opens_for_the_holder_of_the_token() -> None:
    assert unseal_reply(KEYRING, KEY_ID, TOKEN, PLACE, REPLY) == b"the new backup code"


def test_a_reply_does_not_open_without_the_token() -> None:
    """ "Neither the database nor the database with the keyring can open a reply": not even another of its tokens."""
    with pytest.raises(UnsealError):
        unseal_reply(KEYRING, KEY_ID, new_token(TokenKind.CHALLENGE, ACCOUNT), PLACE, REPLY)


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
def test_a_reply_opens_in_no_other_place(other: dict[str, object]) -> None:
    with pytest.raises(UnsealError):
        unseal_reply(KEYRING, KEY_ID, TOKEN, replace(PLACE, **other), REPLY)  # type: ignore[arg-type]


@given(st.integers(0, len(REPLY) - 1), st.integers(1, 255))
def test_an_altered_reply_does_not_open(position: int, change: int) -> None:
    altered = bytearray(REPLY)
    altered[position] ^= change
    with pytest.raises(UnsealError):
        unseal_reply(KEYRING, KEY_ID, TOKEN, PLACE, bytes(altered))


def test_a_reply_needs_its_key_beside_the_token() -> None:
    """The token alone does not open a stolen database either; and a reply dies with its retired key."""
    assert unseal_reply(rotated(Purpose.REPLY, keep_old=True), KEY_ID, TOKEN, PLACE, REPLY)
    with pytest.raises(UnsealError):
        unseal_reply(rotated(Purpose.REPLY, keep_old=False), KEY_ID, TOKEN, PLACE, REPLY)
    same_id = Keyring([Key(KEY_ID, purpose, b"x" * 32) for purpose in Purpose])
    with pytest.raises(UnsealError):
        unseal_reply(same_id, KEY_ID, TOKEN, PLACE, REPLY)


def test_a_content_fingerprint_needs_the_token_and_nothing_else() -> None:
    """No keyring goes in: whoever steals database and keyring cannot try passwords against it."""
    first = content_fingerprint(TOKEN, b"ChangePassword\0correct horse")
    assert first == content_fingerprint(TOKEN, b"ChangePassword\0correct horse")
    assert first != content_fingerprint(TOKEN, b"ChangePassword\0correct horse ")
    assert first != content_fingerprint(new_token(TokenKind.CHALLENGE, ACCOUNT), b"ChangePassword\0correct horse")


def test_methods_and_request_ids_do_not_run_into_each_other() -> None:
    """One place's method and id are never the bytes of another's: both are of fixed form, with NUL between them."""
    one = replace(PLACE, method="A")
    other = replace(PLACE, method="A\0")
    key_id, sealed = seal_reply(KEYRING, TOKEN, one, b"x")
    with pytest.raises(UnsealError):
        unseal_reply(KEYRING, key_id, TOKEN, other, sealed)
