"""OpenID Connect: what is taken from a provider, and what the person may have done wrong."""

import secrets
from datetime import timedelta

import pytest
from joserfc.jwk import ECKey, RSAKey

from tests.identity.askers import Asker, SetClock
from tests.providers.openid import ABOUT, KEYS, TOKEN, OpenIdServer, rsa_key
from twofactor_server.domain.identities import ProvenIdentity
from twofactor_server.domain.refusals import Reason
from twofactor_server.identity.openid import GOOGLE, SPELLINGS


async def test_an_identity_is_issuer_and_subject(asker: Asker, openid: OpenIdServer) -> None:
    """Whatever the address: two subjects with one address are two identities."""
    one = await asker.ask(openid.signed_in("one", "same@provider.example"))
    other = await asker.ask(openid.signed_in("other", "same@provider.example"))
    assert one == ProvenIdentity("example", openid.issuer, "one", "same@provider.example")
    assert (other.issuer, other.subject) == (openid.issuer, "other")


@pytest.mark.parametrize("verified", [False, "true", 1, None])
async def test_an_address_counts_only_if_the_provider_says_verified(
    asker: Asker, openid: OpenIdServer, verified: object
) -> None:
    assert (await asker.ask(openid.signed_in("mia", email_verified=verified))).email is None


async def test_an_address_that_is_told_on_request_only(asker: Asker, openid: OpenIdServer) -> None:
    """OpenID Connect Core section 5.4: the claims of a scope may come from UserInfo instead of the ID token."""
    openid.claims_in_user_info = True
    assert (await asker.ask(openid.signed_in("mia"))).email == "mia@provider.example"
    assert (await asker.ask(openid.signed_in("mia", email_verified=False))).email is None


@pytest.mark.parametrize("key", [rsa_key("another"), *(ECKey.generate_key(c) for c in ("P-256", "P-384"))])
async def test_keys_of_several_kinds(asker: Asker, openid: OpenIdServer, key: RSAKey | ECKey) -> None:
    key.ensure_kid()
    openid.rotate(key)
    header = {"alg": "ES384"} if key.as_dict().get("crv") == "P-384" else {}
    assert (await asker.ask(openid.signed_in("mia", header=header))).subject == "mia"


@pytest.mark.parametrize(
    "methods", [["client_secret_post"], ["client_secret_basic", "client_secret_post"], [], None, 5]
)
async def test_the_client_shows_its_secret_as_the_provider_wants_it(
    asker: Asker, openid: OpenIdServer, methods: object
) -> None:
    """Id and secret hold a space, a colon and a percent sign; RFC 6749 section 2.3.1 says how those travel."""
    openid.about["token_endpoint_auth_methods_supported"] = methods
    assert (await asker.ask(openid.signed_in("mia"))).subject == "mia"


async def test_a_code_works_once(asker: Asker, openid: OpenIdServer) -> None:
    credential = openid.signed_in("mia")
    await asker.ask(credential)
    assert (await asker.refused(credential)).reason is Reason.CREDENTIALS_MISMATCH


async def test_a_code_of_another_sign_in(asker: Asker, openid: OpenIdServer) -> None:
    """An injected code: the verifier and the nonce are those of the session that began, and both must fit."""
    for changed in ({"code_verifier": secrets.token_urlsafe(48)}, {"nonce": "of another session"}):
        refusal = await asker.refused(openid.credential(openid.grant("mia"), **changed))
        assert refusal.reason is Reason.CREDENTIALS_MISMATCH


async def test_a_redirect_uri_is_one_of_the_settings(asker: Asker, openid: OpenIdServer) -> None:
    """Exactly: nothing is added, left out, or in another case. Nobody is asked."""
    uri = openid.redirect_uri
    for other in (f"{uri}/", f"{uri}?x", uri.upper(), uri[:-1], "https://client.example/github/callback"):
        refusal = await asker.refused(openid.credential(openid.grant("mia"), redirect_uri=other))
        assert (refusal.reason, refusal.field) == (Reason.INVALID_FIELD, "oidc.redirect_uri")
    assert openid.web.seen.total() == 0
    # One of the settings, but not the one of this authorization request: the provider refuses it.
    grant = openid.grant("mia", redirect_uri=openid.loopback_uri)
    refusal = await asker.refused(openid.credential(grant, redirect_uri=uri))
    assert refusal.reason is Reason.CREDENTIALS_MISMATCH


@pytest.mark.parametrize("name", ["google", "examples", "github", "Example", "https://accounts.google.com"])
async def test_a_provider_that_is_not_configured(asker: Asker, openid: OpenIdServer, name: str) -> None:
    """GitHub is none of the OpenID providers, though it is configured."""
    refusal = await asker.refused(openid.credential(openid.grant("mia"), provider=name))
    assert refusal.reason is Reason.PROVIDER_NOT_CONFIGURED


async def test_what_a_provider_publishes_is_fetched_once(asker: Asker, openid: OpenIdServer, clock: SetClock) -> None:
    """For as long as Cache-Control says, and no longer."""
    for _ in range(3):
        await asker.ask(openid.signed_in("mia"))
    assert (openid.web.seen[ABOUT], openid.web.seen[KEYS], openid.web.seen[TOKEN]) == (1, 1, 3)
    clock.advance(timedelta(hours=1))
    openid.cache_control = "no-store"
    for _ in range(2):
        await asker.ask(openid.signed_in("mia"))
    assert openid.web.seen[KEYS] == 3


async def test_a_new_key_is_fetched_at_most_once_a_minute(asker: Asker, openid: OpenIdServer, clock: SetClock) -> None:
    """ "Rotated key; unknown kid fetched at most once per minute": tokens of keys that nobody publishes cost the
    provider one request a minute, and a real rotation is noticed within one."""
    await asker.ask(openid.signed_in("mia"))
    clock.advance(timedelta(minutes=1))
    openid.rotate()
    await asker.ask(openid.signed_in("mia"))
    assert openid.web.seen[KEYS] == 2
    for _ in range(5):
        refusal = await asker.refused(openid.signed_in("mia", header={"kid": "nobody's"}))
        assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
    assert openid.web.seen[KEYS] == 2
    clock.advance(timedelta(minutes=1))
    for _ in range(5):
        await asker.refused(openid.signed_in("mia", header={"kid": "nobody's"}))
    assert openid.web.seen[KEYS] == 3


async def test_google_is_spelt_in_two_ways(asker: Asker, openid: OpenIdServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's ID tokens name it with and without the scheme, and the identity is the same."""
    assert SPELLINGS == {GOOGLE: (GOOGLE, "accounts.google.com")}
    monkeypatch.setitem(SPELLINGS, openid.issuer, (openid.issuer, "provider.example"))
    for issuer in (openid.issuer, "provider.example"):
        identity = await asker.ask(openid.signed_in("mia", claims={"iss": issuer}))
        assert (identity.issuer, identity.subject) == (openid.issuer, "mia")
    refusal = await asker.refused(openid.signed_in("mia", claims={"iss": "accounts.google.com"}))
    assert refusal.reason is Reason.DEPENDENCY_UNAVAILABLE
