"""Tokens: one spelling each, of one kind each; their text stays out of every representation."""

import hashlib
import string
from base64 import urlsafe_b64encode
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.crypto.tokens import Token, TokenKind, new_token, parse_token
from twofactor_server.domain.refusals import Reason, Refusal

ACCOUNT = uuid4()
BODY = urlsafe_b64encode(bytes(range(48))).decode()
TOKEN = parse_token(TokenKind.CHALLENGE, f"tfc_{BODY}", "challenge_token")
ALPHABET = string.ascii_letters + string.digits + "-_"


@pytest.mark.parametrize(("kind", "prefix"), [(TokenKind.CHALLENGE, "tfc_"), (TokenKind.SESSION, "tfs_")])
def test_a_token_reads_back_with_the_account_inside(kind: TokenKind, prefix: str) -> None:
    token = new_token(kind, ACCOUNT)
    assert token.text.startswith(prefix)
    assert parse_token(kind, token.text, "token") == token
    assert parse_token(kind, token.text, "token").account_id == ACCOUNT


def test_tokens_have_256_random_bits() -> None:
    """What is left of two tokens of one account differs in about half of 256 bits."""
    tokens = [new_token(TokenKind.SESSION, ACCOUNT).text for _ in range(1000)]
    assert len(set(tokens)) == 1000
    assert {len(token) for token in tokens} == {4 + 64}


def refused(kind: TokenKind, text: str) -> Refusal:
    with pytest.raises(Refusal) as caught:
        parse_token(kind, text, "challenge_token")
    return caught.value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "tfc_",
        BODY,
        f"tfs_{BODY}",
        f"tfr_{BODY}",
        f"TFC_{BODY}",
        f"tfc_tfc_{BODY}",
        f" tfc_{BODY}",
        f"tfc_{BODY}\n",
        f"tfc_{BODY[:-1]}",
        f"tfc_{BODY}A",
        f"tfc_{urlsafe_b64encode(bytes(47)).decode()}",  # a byte too short, padded to the same length
        f"tfc_{urlsafe_b64encode(bytes(46)).decode()}",
        f"tfc_{BODY[:-4]}+/+/",  # the other base64 alphabet
        f"tfc_{BODY[:-1]}!",
        f"tfc_{BODY[:-1]}\0",
        f"tfc_{BODY[:-1]}ü",
        f"tfc_{BODY[:-1]}\N{FULLWIDTH LATIN CAPITAL LETTER A}",
        f"tfc_{BODY[:60]}    ",
    ],
)
def test_what_is_no_challenge_token_is_an_invalid_field(text: str) -> None:
    refusal = refused(TokenKind.CHALLENGE, text)
    assert (refusal.reason, refusal.field) == (Reason.INVALID_FIELD, "challenge_token")
    assert BODY[:20] not in repr(refusal) + refusal.rule


def test_a_token_of_another_kind_is_refused() -> None:
    refused(TokenKind.SESSION, TOKEN.text)
    refused(TokenKind.CHALLENGE, new_token(TokenKind.SESSION, ACCOUNT).text)


@given(st.integers(0, 63), st.characters(codec="utf-8"))
def test_one_token_has_one_spelling(position: int, char: str) -> None:
    """A body with one character changed is malformed, or another token: never the same one.

    With the comparison against the canonical spelling taken out, tokens with characters of another alphabet passed.
    """
    text = f"tfc_{BODY[:position]}{char}{BODY[position + 1 :]}"
    token = parsed(text)
    if token is not None:
        assert token.text == text
        assert char in ALPHABET
        assert (token.digest == TOKEN.digest) == (text == TOKEN.text)


@given(st.text() | st.text(ALPHABET, min_size=64, max_size=64).map("tfc_{}".format))
def test_whatever_is_given_is_a_token_or_malformed(text: str) -> None:
    token = parsed(text)
    if token is not None:
        assert len(text) == 68
        assert urlsafe_b64encode(token.account_id.bytes)[:21].decode() == text[4:25]


def parsed(text: str) -> Token | None:
    try:
        return parse_token(TokenKind.CHALLENGE, text, "challenge_token")
    except Refusal as refusal:
        if refusal.reason is not Reason.INVALID_FIELD:
            raise
        return None


def test_the_digest_is_of_the_whole_token() -> None:
    """So a body copied behind another prefix is another token in the database as well."""
    assert TOKEN.digest == hashlib.sha256(TOKEN.text.encode()).digest()


def test_a_token_shows_nothing_of_itself() -> None:
    assert BODY not in repr(TOKEN)
    assert BODY not in str(TOKEN)
