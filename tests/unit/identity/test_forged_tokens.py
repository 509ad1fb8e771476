"""Forged ID tokens, each with one defect, are rejected as the provider's fault."""

import math
from typing import Any

import pytest

from tests.support.providers.openid import KEYS, REMOVED, OpenIdServer, rsa_key
from tests.unit.identity.harness import Harness
from twofactor_server.domain.refusals import Reason

ATTACKER = rsa_key("another")

CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://other.example"},
    "no issuer": {"iss": REMOVED},
    "a list of issuers": {"iss": ["https://other.example"]},
    "another audience": {"aud": "another client"},
    "no audience": {"aud": REMOVED},
    "other audiences": {"aud": ["another client", "a third client"]},
    "issued to another client": {"azp": "another client"},
    "an empty authorized party": {"azp": ""},
    "no subject": {"sub": REMOVED},
    "an empty subject": {"sub": ""},
    "a number for a subject": {"sub": 7},
    "a long subject": {"sub": "s" * 256},
    "a subject with NUL": {"sub": "mia\0"},
    "a non-ASCII subject": {"sub": "m\u00efa"},
    "no expiry": {"exp": REMOVED},
    "an expiry in words": {"exp": "tomorrow"},
    "an expiry that is not a number": {"exp": math.nan},
    "an infinite expiry": {"exp": math.inf},
    "true as an expiry": {"exp": True},
    "never issued": {"iat": REMOVED},
    "issued in words": {"iat": "now"},
    "not-before in words": {"nbf": "now"},
    "not-before null": {"nbf": None},
}


async def refused(harness: Harness, openid: OpenIdServer, **forged: Any) -> None:
    """The forged token is rejected, and a genuine one is accepted."""
    refusal = await harness.refused(openid.signed_in("mia", **forged))
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert refusal.retry_after is not None
    assert (await harness.exchange(openid.signed_in("mia"))).subject == "mia"


@pytest.mark.parametrize("forged", CLAIMS)
async def test_an_invalid_claim_is_rejected(harness: Harness, openid: OpenIdServer, forged: str) -> None:
    """Each was seen to be accepted with its check removed."""
    await refused(harness, openid, claims=CLAIMS[forged])


@pytest.mark.parametrize(
    ("claim", "seconds", "taken"),
    [
        ("exp", -59, True),
        ("exp", -61, False),
        ("iat", 59, True),
        ("iat", 61, False),
        ("nbf", 59, True),
        ("nbf", 61, False),
        ("nbf", -3600, True),
    ],
)
async def test_clocks_may_differ_by_a_minute(
    harness: Harness, openid: OpenIdServer, claim: str, seconds: int, taken: bool
) -> None:
    claims = {claim: int(openid.now()) + seconds}
    if taken:
        assert (await harness.exchange(openid.signed_in("mia", claims=claims))).subject == "mia"
    else:
        await refused(harness, openid, claims=claims)


@pytest.mark.parametrize(("audiences", "azp", "taken"), [(1, True, True), (2, True, True), (2, False, False)])
async def test_several_audiences_need_an_authorized_party(
    harness: Harness, openid: OpenIdServer, audiences: int, azp: bool, taken: bool
) -> None:
    """OpenID Connect Core section 3.1.3.7, steps 4 and 5."""
    claims: dict[str, Any] = {"aud": [openid.client_id, "another"][:audiences]}
    if azp:
        claims["azp"] = openid.client_id
    if taken:
        assert (await harness.exchange(openid.signed_in("mia", claims=claims))).subject == "mia"
    else:
        await refused(harness, openid, claims=claims)


@pytest.mark.parametrize("nonce", [REMOVED, "", "of another session", 7, None, "\ud800"])
async def test_a_nonce_of_another_sign_in(harness: Harness, openid: OpenIdServer, nonce: object) -> None:
    """This is the fault of the credential: it belongs to another sign-in, perhaps of another user."""
    refusal = await harness.refused(openid.signed_in("mia", claims={"nonce": nonce}))
    assert refusal.reason is Reason.CREDENTIALS_MISMATCH


@pytest.mark.parametrize("algorithm", ["none", "NONE", "None", "HS256", "RS1", "", 7, None, ["RS256"]])
async def test_an_unsigned_token_is_rejected(harness: Harness, openid: OpenIdServer, algorithm: object) -> None:
    await refused(harness, openid, signed="unsigned", header={"alg": algorithm})


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
async def test_a_token_signed_with_a_public_value_is_rejected(
    harness: Harness, openid: OpenIdServer, algorithm: str
) -> None:
    """HS256 with the published key as the secret, a classic forgery; also a shared secret in the key set."""
    openid.keys.append({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": openid.key.kid})
    await refused(harness, openid, signed="public key", header={"alg": algorithm})


async def test_a_token_signed_with_another_key_is_rejected(harness: Harness, openid: OpenIdServer) -> None:
    await refused(harness, openid, signed="other key")


@pytest.mark.parametrize("kid", [REMOVED, "", "unknown", 7, None, ["a"]])
async def test_an_unknown_key_id_is_rejected(harness: Harness, openid: OpenIdServer, kid: object) -> None:
    """With two published keys, the token must name one."""
    openid.keys.append(ATTACKER.as_dict(private=False, kid="another"))
    await refused(harness, openid, header={"kid": kid}, signed="other key")


async def test_keys_in_the_token_header_are_ignored(harness: Harness, openid: OpenIdServer) -> None:
    """The forger controls ``jwk`` and ``jku``: they are neither used nor fetched."""
    header = {
        "jwk": ATTACKER.as_dict(private=False),
        "jku": f"{openid.web.url}/elsewhere",
        "kid": ATTACKER.kid,
    }
    genuine, openid.key = openid.key, ATTACKER
    refusal = await harness.refused(openid.signed_in("mia", header=header))
    openid.key = genuine
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert openid.web.seen["/elsewhere"] == 0


async def test_unknown_critical_headers_are_rejected(harness: Harness, openid: OpenIdServer) -> None:
    for crit in (["exp"], "exp", 7, ["unheard-of"]):
        await refused(harness, openid, header={"crit": crit, "unheard-of": 1, "alg": "none"}, signed="unsigned")


@pytest.mark.parametrize("token", [REMOVED, "", ".", "..", "a.b.c", "e30.e30.e30", "\u2603.\u2603.\u2603", 7, None])
async def test_a_missing_token_is_rejected(
    harness: Harness, openid: OpenIdServer, monkeypatch: pytest.MonkeyPatch, token: object
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(openid, "id_token", lambda _: None if token is REMOVED else token)
        assert (await harness.refused(openid.signed_in("mia"))).reason is Reason.DEPENDENCY_UNAVAILABLE
    assert (await harness.exchange(openid.signed_in("mia"))).subject == "mia"


ODD_KEYS: list[Any] = [
    {},
    {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA", "kid": "later"},
    {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"},
    {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "broken"},
    {"kty": "RSA", "kid": "empty"},
    {"kty": 7},
    "no object",
    None,
]


async def test_unusable_published_keys_are_skipped(harness: Harness, openid: OpenIdServer) -> None:
    """RFC 7517 section 5: a key of an unknown type must not invalidate the others."""
    openid.keys[:0] = ODD_KEYS
    assert (await harness.exchange(openid.signed_in("mia"))).subject == "mia"


async def test_a_key_for_encryption_verifies_nothing(harness: Harness, openid: OpenIdServer) -> None:
    openid.keys = [openid.key.as_dict(private=False, use="enc")]
    refusal = await harness.refused(openid.signed_in("mia"))
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert openid.web.seen[KEYS] == 1
