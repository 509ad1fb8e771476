"""ID tokens that are not what they should be, one respect at a time: each is refused, and blamed on the provider."""

import math
from typing import Any

import pytest

from tests.identity.askers import Asker
from tests.providers.openid import KEYS, REMOVED, OpenIdServer, rsa_key
from twofactor_server.domain.refusals import Reason

ATTACKER = rsa_key("another")

CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://other.example"},
    "no issuer": {"iss": REMOVED},
    "a list of issuers": {"iss": ["https://other.example"]},
    "another audience": {"aud": "somebody else"},
    "no audience": {"aud": REMOVED},
    "other audiences": {"aud": ["somebody else", "yet another"]},
    "given to another client": {"azp": "somebody else"},
    "given to nobody": {"azp": ""},
    "no subject": {"sub": REMOVED},
    "an empty subject": {"sub": ""},
    "a number for a subject": {"sub": 7},
    "a long subject": {"sub": "s" * 256},
    "a subject with NUL": {"sub": "mia\0"},
    "a subject that is no ASCII": {"sub": "m\u00efa"},
    "no end": {"exp": REMOVED},
    "an end in words": {"exp": "tomorrow"},
    "an end that is no number": {"exp": math.nan},
    "an end that never comes": {"exp": math.inf},
    "true as an end": {"exp": True},
    "never issued": {"iat": REMOVED},
    "issued in words": {"iat": "now"},
    "begins in words": {"nbf": "now"},
    "begins never": {"nbf": None},
}


async def refused(asker: Asker, openid: OpenIdServer, **forged: Any) -> None:
    """The token is refused, and the one that is not forged is taken."""
    refusal = await asker.refused(openid.signed_in("mia", **forged))
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert refusal.retry_after is not None
    assert (await asker.ask(openid.signed_in("mia"))).subject == "mia"


@pytest.mark.parametrize("forged", CLAIMS)
async def test_a_claim_that_is_wrong(asker: Asker, openid: OpenIdServer, forged: str) -> None:
    """Each was seen to be taken with its check left out."""
    await refused(asker, openid, claims=CLAIMS[forged])


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
    asker: Asker, openid: OpenIdServer, claim: str, seconds: int, taken: bool
) -> None:
    claims = {claim: int(openid.now()) + seconds}
    if taken:
        assert (await asker.ask(openid.signed_in("mia", claims=claims))).subject == "mia"
    else:
        await refused(asker, openid, claims=claims)


@pytest.mark.parametrize(("audiences", "azp", "taken"), [(1, True, True), (2, True, True), (2, False, False)])
async def test_several_audiences_need_an_authorized_party(
    asker: Asker, openid: OpenIdServer, audiences: int, azp: bool, taken: bool
) -> None:
    """OpenID Connect Core section 3.1.3.7, steps 4 and 5."""
    claims: dict[str, Any] = {"aud": [openid.client_id, "another"][:audiences]}
    if azp:
        claims["azp"] = openid.client_id
    if taken:
        assert (await asker.ask(openid.signed_in("mia", claims=claims))).subject == "mia"
    else:
        await refused(asker, openid, claims=claims)


@pytest.mark.parametrize("nonce", [REMOVED, "", "of another session", 7, None, "\ud800"])
async def test_a_nonce_of_another_sign_in(asker: Asker, openid: OpenIdServer, nonce: object) -> None:
    """That is the person's credential: it was given for another sign-in, perhaps to somebody else."""
    refusal = await asker.refused(openid.signed_in("mia", claims={"nonce": nonce}))
    assert refusal.reason is Reason.CREDENTIALS_MISMATCH


@pytest.mark.parametrize("algorithm", ["none", "NONE", "None", "HS256", "RS1", "", 7, None, ["RS256"]])
async def test_no_signature(asker: Asker, openid: OpenIdServer, algorithm: object) -> None:
    await refused(asker, openid, signed="unsigned", header={"alg": algorithm})


@pytest.mark.parametrize("algorithm", ["HS256", "RS256"])
async def test_signed_with_what_everybody_knows(asker: Asker, openid: OpenIdServer, algorithm: str) -> None:
    """HS256 with the published key as its secret: the oldest forgery of all. A published shared secret is none."""
    openid.keys.append({"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA", "kid": openid.key.kid})
    await refused(asker, openid, signed="public key", header={"alg": algorithm})


async def test_signed_with_another_key(asker: Asker, openid: OpenIdServer) -> None:
    await refused(asker, openid, signed="other key")


@pytest.mark.parametrize("kid", [REMOVED, "", "unknown", 7, None, ["a"]])
async def test_a_key_that_is_not_named(asker: Asker, openid: OpenIdServer, kid: object) -> None:
    """With two keys published, the token has to say which."""
    openid.keys.append(ATTACKER.as_dict(private=False, kid="another"))
    await refused(asker, openid, header={"kid": kid}, signed="other key")


async def test_a_key_that_the_token_brings_along(asker: Asker, openid: OpenIdServer) -> None:
    """``jwk`` and ``jku`` are the forger's own words: neither used nor fetched."""
    header = {
        "jwk": ATTACKER.as_dict(private=False),
        "jku": f"{openid.web.url}/elsewhere",
        "kid": ATTACKER.kid,
    }
    genuine, openid.key = openid.key, ATTACKER
    refusal = await asker.refused(openid.signed_in("mia", header=header))
    openid.key = genuine
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert openid.web.seen["/elsewhere"] == 0


async def test_what_the_header_calls_critical_is_understood_or_refused(asker: Asker, openid: OpenIdServer) -> None:
    for crit in (["exp"], "exp", 7, ["unheard-of"]):
        await refused(asker, openid, header={"crit": crit, "unheard-of": 1, "alg": "none"}, signed="unsigned")


@pytest.mark.parametrize("token", [REMOVED, "", ".", "..", "a.b.c", "e30.e30.e30", "\u2603.\u2603.\u2603", 7, None])
async def test_no_token_at_all(
    asker: Asker, openid: OpenIdServer, monkeypatch: pytest.MonkeyPatch, token: object
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(openid, "id_token", lambda _: None if token is REMOVED else token)
        assert (await asker.refused(openid.signed_in("mia"))).reason is Reason.DEPENDENCY_UNAVAILABLE
    assert (await asker.ask(openid.signed_in("mia"))).subject == "mia"


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


async def test_published_keys_that_are_of_no_use_are_passed_over(asker: Asker, openid: OpenIdServer) -> None:
    """RFC 7517 section 5: a key of a kind not heard of must not take the others with it."""
    openid.keys[:0] = ODD_KEYS
    assert (await asker.ask(openid.signed_in("mia"))).subject == "mia"


async def test_a_key_for_encryption_verifies_nothing(asker: Asker, openid: OpenIdServer) -> None:
    openid.keys = [openid.key.as_dict(private=False, use="enc")]
    refusal = await asker.refused(openid.signed_in("mia"))
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert openid.web.seen[KEYS] == 1
