"""An OpenID Connect provider: discovery, the token request, the ID token, and the provider's keys."""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from joserfc.jwk import KeySet

from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.identity import id_tokens
from twofactor_server.identity.cache import TtlCache
from twofactor_server.identity.http import ProviderClient
from twofactor_server.identity.provider import Provider, code_rejected, unavailable
from twofactor_server.urls import is_https_or_loopback

GOOGLE = "https://accounts.google.com"
ISSUER_ALIASES = {GOOGLE: (GOOGLE, "accounts.google.com")}
"""Google documents that the issuer in its ID tokens may have either form."""

MIN_KEY_AGE = timedelta(minutes=1)
"""Keys younger than this are not fetched again for an unknown key id."""

_CODE_ERRORS = ("invalid_grant", "redirect_uri_mismatch")
"""RFC 6749 §5.2. The second is Google's error for a redirect URI that differs from the one of the request."""


class OpenIdProvider(Provider):
    """One issuer. Its metadata and keys are fetched on first use and cached as their headers allow."""

    def __init__(
        self,
        name: str,
        issuer: str,
        client_id: str,
        client_secret: str,
        redirect_uris: tuple[str, ...],
        now: Callable[[], datetime],
    ) -> None:
        super().__init__(name, redirect_uris)
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._now = now
        self._client = ProviderClient(name)
        self._metadata: TtlCache[dict[str, Any]] = TtlCache(self._fetch_metadata, now)
        self._keys: TtlCache[KeySet] = TtlCache(self._fetch_keys, now)

    async def exchange(self, credential: ProviderCredential, *, want_email: bool) -> ProvenIdentity:
        metadata = await self._metadata.get()
        tokens = await self._redeem(metadata, credential)
        claims = await self._verify_id_token(tokens.get("id_token"))
        if not id_tokens.has_nonce(claims, credential.nonce):
            # The code belongs to another sign-in, perhaps another user's: a code injection.
            raise code_rejected()
        email = await self._verified_email(metadata, tokens, claims) if want_email else None
        return ProvenIdentity(self.name, self._issuer, claims["sub"], email)

    async def close(self) -> None:
        await self._client.close()

    async def _fetch_metadata(self) -> tuple[dict[str, Any], str]:
        response = await self._client.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        metadata = response.content
        if not isinstance(metadata, dict) or metadata.get("issuer") != self._issuer:
            raise unavailable(self.name, "publishes another issuer than the settings name")
        for name in ("token_endpoint", "jwks_uri"):
            if not is_https_or_loopback(metadata.get(name)):
                raise unavailable(self.name, f"publishes no usable {name}")
        return metadata, response.headers.get("cache-control", "")

    async def _fetch_keys(self) -> tuple[KeySet, str]:
        metadata = await self._metadata.get()
        response = await self._client.get(metadata["jwks_uri"])
        try:
            return id_tokens.key_set(response.content), response.headers.get("cache-control", "")
        except id_tokens.TokenRejected as error:
            raise unavailable(self.name, str(error)) from None

    async def _redeem(self, metadata: dict[str, Any], credential: ProviderCredential) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": credential.authorization_code,
            "redirect_uri": credential.redirect_uri,
            "code_verifier": credential.code_verifier,
        }
        headers = {}
        methods = metadata.get("token_endpoint_auth_methods_supported")
        if not isinstance(methods, list) or "client_secret_basic" in methods:
            # RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        response = await self._client.post(metadata["token_endpoint"], form, headers)
        tokens = response.content if isinstance(response.content, dict) else {}
        if tokens.get("error") in _CODE_ERRORS:
            raise code_rejected()
        if response.status != 200 or "error" in tokens:
            raise unavailable(self.name, f"rejects this server's request (status {response.status})")
        return tokens

    async def _verify_id_token(self, token: object) -> dict[str, Any]:
        if not isinstance(token, str):
            raise unavailable(self.name, "returned no ID token")
        expected = id_tokens.Expected(ISSUER_ALIASES.get(self._issuer, (self._issuer,)), self._client_id, self._now())
        try:
            try:
                return id_tokens.verify(token, await self._keys.get(), expected)
            except id_tokens.UnknownKeyId:
                return id_tokens.verify(token, await self._keys.get(max_age=MIN_KEY_AGE), expected)
        except id_tokens.TokenRejected as error:
            raise unavailable(self.name, f"returned an invalid ID token: {error}") from None

    async def _verified_email(
        self, metadata: dict[str, Any], tokens: dict[str, Any], claims: dict[str, Any]
    ) -> str | None:
        """From the ID token, or from UserInfo if the token has no e-mail claim (OpenID Connect Core §5.4)."""
        endpoint, access_token = metadata.get("userinfo_endpoint"), tokens.get("access_token")
        usable = is_https_or_loopback(endpoint) and isinstance(access_token, str) and access_token.isascii()
        if "email" not in claims and usable:
            response = await self._client.get(str(endpoint), {"Authorization": f"Bearer {access_token}"})
            if not isinstance(response.content, dict) or response.content.get("sub") != claims["sub"]:
                raise unavailable(self.name, "returned UserInfo of another subject than the ID token")
            claims = response.content
        email = claims.get("email")
        return email if isinstance(email, str) and claims.get("email_verified") is True else None
