"""A token has one spelling and one kind, and is not shown in a repr."""

import hashlib
import string
from base64 import urlsafe_b64encode
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twofactor_server.crypto.tokens import MalformedToken, Token, TokenKind, new_token, parse_token

ACCOUNT = uuid4()
BODY = urlsafe_b64encode(bytes(range(48))).decode()
TOKEN = parse_token(TokenKind.CHALLENGE, f"tfc_{BODY}")
ALPHABET = string.ascii_letters + string.digits + "-_"


@pytest.mark.parametrize(("kind", "prefix"), [(TokenKind.CHALLENGE, "tfc_"), (TokenKind.SESSION, "tfs_")])
def test_a_token_is_parsed_with_its_account_id(kind: TokenKind, prefix: str) -> None:
    token = new_token(kind, ACCOUNT)
    assert token.text.startswith(prefix)
    assert parse_token(kind, token.text) == token
    assert parse_token(kind, token.text).account_id == ACCOUNT


def test_tokens_have_256_random_bits() -> None:
    """No two of a thousand tokens of one account are equal."""
    tokens = [new_token(TokenKind.SESSION, ACCOUNT).text for _ in range(1000)]
    assert len(set(tokens)) == 1000
    assert {len(token) for token in tokens} == {4 + 64}


def refused(kind: TokenKind, text: str) -> MalformedToken:
    with pytest.raises(MalformedToken) as caught:
        parse_token(kind, text)
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
def test_a_malformed_token_is_rejected_without_quoting_it(text: str) -> None:
    error = refused(TokenKind.CHALLENGE, text)
    assert str(error) == "a token that starts with tfc_"
    assert BODY[:20] not in repr(error)


def test_a_token_of_another_kind_is_rejected() -> None:
    refused(TokenKind.SESSION, TOKEN.text)
    refused(TokenKind.CHALLENGE, new_token(TokenKind.SESSION, ACCOUNT).text)


@given(st.integers(0, 63), st.characters(codec="utf-8"))
def test_one_token_has_one_spelling(position: int, char: str) -> None:
    """A body with one changed character is malformed or a different token.

    Seen to fail without the comparison with the canonical spelling.
    """
    text = f"tfc_{BODY[:position]}{char}{BODY[position + 1 :]}"
    token = parsed(text)
    if token is not None:
        assert token.text == text
        assert char in ALPHABET
        assert (token.digest == TOKEN.digest) == (text == TOKEN.text)


@given(st.text() | st.text(ALPHABET, min_size=64, max_size=64).map("tfc_{}".format))
def test_any_text_is_a_token_or_malformed(text: str) -> None:
    token = parsed(text)
    if token is not None:
        assert len(text) == 68
        assert urlsafe_b64encode(token.account_id.bytes)[:21].decode() == text[4:25]


def parsed(text: str) -> Token | None:
    try:
        return parse_token(TokenKind.CHALLENGE, text)
    except MalformedToken:
        return None


def test_the_digest_is_of_the_whole_token() -> None:
    """So the same body with another prefix is a different token in the database, too."""
    assert TOKEN.digest == hashlib.sha256(TOKEN.text.encode()).digest()


def test_repr_of_a_token_hides_it() -> None:
    assert BODY not in repr(TOKEN)
    assert BODY not in str(TOKEN)
