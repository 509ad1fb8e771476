"""OpenID Connect: identities, e-mail addresses, caching, and invalid credentials."""

import secrets
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.support.providers.openid import ABOUT, KEYS, TOKEN, OpenIdServer, rsa_key
from tests.unit.identity.harness import Harness, SetClock
from twofactor_server.domain.identities import ProvenIdentity
from twofactor_server.domain.refusals import Reason
from twofactor_server.identity.openid import GOOGLE, ISSUER_ALIASES


async def test_an_identity_is_issuer_and_subject(harness: Harness, openid: OpenIdServer) -> None:
    """Two subjects with one e-mail address are two identities."""
    one = await harness.exchange(openid.signed_in("one", "same@provider.example"))
    other = await harness.exchange(openid.signed_in("other", "same@provider.example"))
    assert one == ProvenIdentity("example", openid.issuer, "one", "same@provider.example")
    assert (other.issuer, other.subject) == (openid.issuer, "other")


@pytest.mark.parametrize("verified", [False, "true", 1, None])
async def test_an_address_counts_only_if_the_provider_says_verified(
    harness: Harness, openid: OpenIdServer, verified: object
) -> None:
    assert (await harness.exchange(openid.signed_in("mia", email_verified=verified))).email is None


async def test_an_address_from_userinfo(harness: Harness, openid: OpenIdServer) -> None:
    """OpenID Connect Core section 5.4: the claims of a scope may come from UserInfo instead of the ID token."""
    openid.claims_in_user_info = True
    assert (await harness.exchange(openid.signed_in("mia"))).email == "mia@provider.example"
    assert (await harness.exchange(openid.signed_in("mia", email_verified=False))).email is None


@pytest.mark.parametrize("key", [rsa_key("another"), *(ECKey.generate_key(c) for c in ("P-256", "P-384"))])
async def test_keys_of_several_kinds(harness: Harness, openid: OpenIdServer, key: RSAKey | ECKey) -> None:
    key.ensure_kid()
    openid.rotate(key)
    header = {"alg": "ES384"} if key.as_dict().get("crv") == "P-384" else {}
    assert (await harness.exchange(openid.signed_in("mia", header=header))).subject == "mia"


@pytest.mark.parametrize(
    "methods", [["client_secret_post"], ["client_secret_basic", "client_secret_post"], [], None, 5]
)
async def test_client_authentication_follows_the_metadata(
    harness: Harness, openid: OpenIdServer, methods: object
) -> None:
    """Id and secret contain a space, a colon and a percent sign, encoded as in RFC 6749 section 2.3.1."""
    openid.about["token_endpoint_auth_methods_supported"] = methods
    assert (await harness.exchange(openid.signed_in("mia"))).subject == "mia"


async def test_a_code_works_once(harness: Harness, openid: OpenIdServer) -> None:
    credential = openid.signed_in("mia")
    await harness.exchange(credential)
    assert (await harness.refused(credential)).reason is Reason.CREDENTIALS_MISMATCH


async def test_a_code_of_another_sign_in(harness: Harness, openid: OpenIdServer) -> None:
    """A code injection: the verifier and the nonce of another session do not match."""
    for changed in ({"code_verifier": secrets.token_urlsafe(48)}, {"nonce": "of another session"}):
        refusal = await harness.refused(openid.credential(openid.grant("mia"), **changed))
        assert refusal.reason is Reason.CREDENTIALS_MISMATCH


async def test_a_redirect_uri_is_one_of_the_settings(harness: Harness, openid: OpenIdServer) -> None:
    """Compared exactly. The provider is not contacted."""
    uri = openid.redirect_uri
    for other in (f"{uri}/", f"{uri}?x", uri.upper(), uri[:-1], "https://client.example/github/callback"):
        refusal = await harness.refused(openid.credential(openid.grant("mia"), redirect_uri=other))
        assert (refusal.reason, refusal.field) == (Reason.INVALID_FIELD, "oidc.redirect_uri")
    assert openid.web.seen.total() == 0
    # In the settings, but not the one of this authorization request: the provider rejects it.
    grant = openid.grant("mia", redirect_uri=openid.loopback_uri)
    refusal = await harness.refused(openid.credential(grant, redirect_uri=uri))
    assert refusal.reason is Reason.CREDENTIALS_MISMATCH


@pytest.mark.parametrize("name", ["google", "examples", "github", "Example", "https://accounts.google.com"])
async def test_a_provider_that_is_not_configured(harness: Harness, openid: OpenIdServer, name: str) -> None:
    """GitHub is configured, but is not an OpenID provider."""
    refusal = await harness.refused(openid.credential(openid.grant("mia"), provider=name))
    assert refusal.reason is Reason.PROVIDER_NOT_CONFIGURED


async def test_metadata_and_keys_are_cached(harness: Harness, openid: OpenIdServer, clock: SetClock) -> None:
    """For as long as Cache-Control allows."""
    for _ in range(3):
        await harness.exchange(openid.signed_in("mia"))
    assert (openid.web.seen[ABOUT], openid.web.seen[KEYS], openid.web.seen[TOKEN]) == (1, 1, 3)
    clock.advance(timedelta(hours=1))
    openid.cache_control = "no-store"
    for _ in range(2):
        await harness.exchange(openid.signed_in("mia"))
    assert openid.web.seen[KEYS] == 3


async def test_a_new_key_is_fetched_at_most_once_a_minute(
    harness: Harness, openid: OpenIdServer, clock: SetClock
) -> None:
    """Tokens with unpublished key ids cost the
    provider one request a minute, and a real rotation is noticed within one."""
    await harness.exchange(openid.signed_in("mia"))
    clock.advance(timedelta(minutes=1))
    openid.rotate()
    await harness.exchange(openid.signed_in("mia"))
    assert openid.web.seen[KEYS] == 2
    for _ in range(5):
        refusal = await harness.refused(openid.signed_in("mia", header={"kid": "nobody's"}))
        assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert openid.web.seen[KEYS] == 2
    clock.advance(timedelta(minutes=1))
    for _ in range(5):
        await harness.refused(openid.signed_in("mia", header={"kid": "nobody's"}))
    assert openid.web.seen[KEYS] == 3


async def test_google_has_two_issuer_names(
    harness: Harness, openid: OpenIdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google's ID tokens name the issuer with and without the scheme; the identity is the same."""
    assert ISSUER_ALIASES == {GOOGLE: (GOOGLE, "accounts.google.com")}
    monkeypatch.setitem(ISSUER_ALIASES, openid.issuer, (openid.issuer, "provider.example"))
    for issuer in (openid.issuer, "provider.example"):
        identity = await harness.exchange(openid.signed_in("mia", claims={"iss": issuer}))
        assert (identity.issuer, identity.subject) == (openid.issuer, "mia")
    refusal = await harness.refused(openid.signed_in("mia", claims={"iss": "accounts.google.com"}))
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
