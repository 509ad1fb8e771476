"""An OpenID Connect provider: discovery, the exchange of an authorization code, the ID token, and its keys."""

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote_plus

from joserfc.jwk import KeySet

from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.identity import id_tokens
from twofactor_server.identity.asking import Asking
from twofactor_server.identity.failures import refused, unavailable
from twofactor_server.identity.fresh import Fresh
from twofactor_server.identity.provider import Provider
from twofactor_server.web_addresses import is_private_to_us

GOOGLE = "https://accounts.google.com"
SPELLINGS = {GOOGLE: (GOOGLE, "accounts.google.com")}
"""Google's ID tokens name it in either way, and its documentation says that both are right."""

REFETCH = timedelta(minutes=1)
"""How often the keys are fetched at most for the sake of a key id that they did not have."""

_REFUSED = ("invalid_grant", "redirect_uri_mismatch")
"""RFC 6749 §5.2; the second is Google's own word for a redirect URI that is not the one of the request."""


class OpenIdProvider(Provider):
    """One issuer. What it publishes about itself is fetched when first needed, and again as its headers allow."""

    def __init__(
        self, name: str, issuer: str, client_id: str, client_secret: str, redirect_uris: tuple[str, ...],
        now: Callable[[], datetime],
    ) -> None:  # fmt: skip
        super().__init__(name, redirect_uris)
        self._issuer = issuer
        self._client_id = client_id
        self._client_secret = client_secret
        self._now = now
        self._asking = Asking(name)
        self._about: Fresh[dict[str, Any]] = Fresh(self._discover, now)
        self._keys: Fresh[KeySet] = Fresh(self._fetch_keys, now)

    async def ask(self, credential: ProviderCredential, *, want_email: bool) -> ProvenIdentity:
        """Exchange the code, check the token, and read who it speaks of."""
        about = await self._about.get()
        tokens = await self._exchange(about, credential)
        claims = await self._claims(tokens.get("id_token"))
        if not id_tokens.has_nonce(claims, credential.nonce):
            # A code of another sign-in, perhaps of another person: the mark of an injected code.
            raise refused()
        email = await self._email(about, tokens, claims) if want_email else None
        return ProvenIdentity(self.name, self._issuer, claims["sub"], email)

    async def close(self) -> None:
        """Close the connections."""
        await self._asking.close()

    async def _discover(self) -> tuple[dict[str, Any], str]:
        answer = await self._asking.get(f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        about = answer.content
        if not isinstance(about, dict) or about.get("issuer") != self._issuer:
            raise unavailable(self.name, "publishes another issuer than it is set to be")
        for name in ("token_endpoint", "jwks_uri"):
            if not is_private_to_us(about.get(name)):
                raise unavailable(self.name, f"publishes no {name} that can be used")
        return about, answer.headers.get("cache-control", "")

    async def _fetch_keys(self) -> tuple[KeySet, str]:
        about = await self._about.get()
        answer = await self._asking.get(about["jwks_uri"])
        try:
            return id_tokens.key_set(answer.content), answer.headers.get("cache-control", "")
        except id_tokens.TokenRefused as trouble:
            raise unavailable(self.name, str(trouble)) from None

    async def _exchange(self, about: dict[str, Any], credential: ProviderCredential) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": credential.authorization_code,
            "redirect_uri": credential.redirect_uri,
            "code_verifier": credential.code_verifier,
        }
        headers = {}
        methods = about.get("token_endpoint_auth_methods_supported")
        if not isinstance(methods, list) or "client_secret_basic" in methods:
            # RFC 6749 §2.3.1: both are form-encoded before they are joined.
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._client_secret)}"
            headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id, "client_secret": self._client_secret}
        answer = await self._asking.post(about["token_endpoint"], form, headers)
        tokens = answer.content if isinstance(answer.content, dict) else {}
        if tokens.get("error") in _REFUSED:
            raise refused()
        if answer.status != 200 or "error" in tokens:
            raise unavailable(self.name, f"refuses this server, not the code (status {answer.status})")
        return tokens

    async def _claims(self, token: object) -> dict[str, Any]:
        if not isinstance(token, str):
            raise unavailable(self.name, "gave no ID token")
        expected = id_tokens.Expected(SPELLINGS.get(self._issuer, (self._issuer,)), self._client_id, self._now())
        try:
            try:
                return id_tokens.read(token, await self._keys.get(), expected)
            except id_tokens.UnknownKey:
                return id_tokens.read(token, await self._keys.get(unless_younger_than=REFETCH), expected)
        except id_tokens.TokenRefused as trouble:
            raise unavailable(self.name, f"gave an ID token that is {trouble}") from None

    async def _email(self, about: dict[str, Any], tokens: dict[str, Any], claims: dict[str, Any]) -> str | None:
        """The verified address: from the token, or, where that has none (OpenID Connect Core §5.4), from UserInfo."""
        endpoint, access = about.get("userinfo_endpoint"), tokens.get("access_token")
        if "email" not in claims and is_private_to_us(endpoint) and isinstance(access, str) and access.isascii():
            answer = await self._asking.get(str(endpoint), {"Authorization": f"Bearer {access}"})
            if not isinstance(answer.content, dict) or answer.content.get("sub") != claims["sub"]:
                raise unavailable(self.name, "told of somebody else than its token")
            claims = answer.content
        email = claims.get("email")
        return email if isinstance(email, str) and claims.get("email_verified") is True else None
