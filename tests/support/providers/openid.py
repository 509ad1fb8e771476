"""An OpenID provider: authorization code with PKCE, ID tokens with real signatures, and forged ID tokens."""

import hmac
import json
import secrets
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Any
from urllib.parse import unquote_plus, urlencode

from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

from tests.support.providers.web import Request, Response, Web
from twofactor.v1 import types_pb2

REMOVED = object()
"""The value of a claim that the token does not have."""

TOKEN, KEYS, ABOUT = "/token", "/keys", "/.well-known/openid-configuration"


@dataclass
class Grant:
    """A user's consent, identified by its authorization code. ``claims``, ``header`` and ``signed`` forge the ID token:
    changed claims, a changed header, and "usual", "other key", "unsigned" or "public key"."""

    subject: str
    email: str = ""
    email_verified: Any = True
    nonce: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(48))
    redirect_uri: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    signed: str = "usual"
    challenge: str = ""
    code: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class OpenIdServer:
    """The provider. ``keys`` are published and ``key`` signs; ``now`` is the time in its tokens."""

    def __init__(self, web: Web, name: str, now: Callable[[], float]) -> None:
        self.web, self.name, self.now = web, name, now
        self.issuer = web.url
        self.client_id, self.client_secret = f"client of {name}", "s%3Acret+/=: of the client"
        self.redirect_uri = f"https://client.example/{name}/callback"
        self.loopback_uri = f"http://127.0.0.1:9/{name}/callback"
        self.key: RSAKey | ECKey = rsa_key("usual")
        self.keys: list[Any] = [self.key.as_dict(private=False)]
        self.cache_control = "max-age=3600"
        self.about: dict[str, Any] = {}
        self.claims_in_user_info = False
        self._grants: dict[str, Grant] = {}
        web.pages |= {ABOUT: self._about, KEYS: self._keys, TOKEN: self._token, "/authorize": self._authorize,
                      "/userinfo": self._user_info}  # fmt: skip

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a server that uses this provider."""
        prefix = f"TWOFACTOR_OIDC_{self.name.upper()}"
        return {
            f"{prefix}_ISSUER": self.issuer,
            f"{prefix}_CLIENT_ID": self.client_id,
            f"{prefix}_CLIENT_SECRET": self.client_secret,
            f"{prefix}_REDIRECT_URIS": f"{self.redirect_uri} {self.loopback_uri}",
        }

    def grant(self, subject: str, email: str = "", **details: Any) -> Grant:
        """Sign in and consent as this user; the redirect contains the grant's code."""
        grant = Grant(subject, email or f"{subject}@provider.example", **details)
        grant.redirect_uri = grant.redirect_uri or self.redirect_uri
        grant.challenge = grant.challenge or challenge_of(grant.verifier)
        self._grants[grant.code] = grant
        return grant

    def credential(self, grant: Grant, **changed: str) -> types_pb2.OidcCredential:
        """The credential that the front end sends to the server, with some fields changed."""
        fields = {
            "provider": self.name,
            "authorization_code": grant.code,
            "code_verifier": grant.verifier,
            "nonce": grant.nonce,
            "redirect_uri": grant.redirect_uri,
        }
        return types_pb2.OidcCredential(**(fields | changed))

    def signed_in(self, subject: str, email: str = "", **details: Any) -> types_pb2.OidcCredential:
        """The credential of a new sign-in."""
        return self.credential(self.grant(subject, email, **details))

    def rotate(self, key: RSAKey | ECKey | None = None) -> None:
        """Sign with another key from now on, and stop publishing the old one."""
        self.key = key or ECKey.generate_key("P-256", auto_kid=True)
        self.keys = [self.key.as_dict(private=False)]

    def _about(self, request: Request) -> Response:
        about = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.web.url}/authorize",
            "token_endpoint": self.web.url + TOKEN,
            "jwks_uri": self.web.url + KEYS,
            "userinfo_endpoint": f"{self.web.url}/userinfo",
        }
        return Response(about | self.about, headers={"Cache-Control": self.cache_control})

    def _keys(self, request: Request) -> Response:
        return Response({"keys": self.keys}, headers={"Cache-Control": self.cache_control})

    def _authorize(self, request: Request) -> Response:
        form = request.form
        if form.get("client_id") != self.client_id or form.get("code_challenge_method") != "S256":
            return Response({}, 400)
        grant = self.grant(form["login_hint"], nonce=form["nonce"], challenge=form["code_challenge"],
                           redirect_uri=form["redirect_uri"])  # fmt: skip
        query = urlencode({"code": grant.code, "state": form["state"]})
        return Response({}, 302, {"Location": f"{form['redirect_uri']}?{query}"})

    def _token(self, request: Request) -> Response:
        if not self._is_the_client(request):
            return Response({"error": "invalid_client"}, 401)
        form = request.form
        grant = self._grants.pop(form.get("code", ""), None)
        right = (
            grant is not None
            and form.get("grant_type") == "authorization_code"
            and form.get("redirect_uri") == grant.redirect_uri
            and challenge_of(form.get("code_verifier", "")) == grant.challenge
        )
        if grant is None or not right:
            return Response({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(24)
        self._grants[access] = grant
        return Response({"access_token": access, "token_type": "Bearer", "id_token": self.id_token(grant)})

    def _user_info(self, request: Request) -> Response:
        grant = self._grants.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
        if grant is None:
            return Response({"error": "invalid_token"}, 401)
        return Response({"sub": grant.subject, "email": grant.email, "email_verified": grant.email_verified})

    def _is_the_client(self, request: Request) -> bool:
        given = (request.form.get("client_id"), request.form.get("client_secret"))
        basic = request.headers.get("Authorization", "")
        if basic.startswith("Basic "):
            name, _, secret = b64decode(basic.removeprefix("Basic ")).decode().partition(":")
            given = (unquote_plus(name), unquote_plus(secret))
        return given == (self.client_id, self.client_secret)

    def id_token(self, grant: Grant) -> str:
        """The ID token, forged as the grant says."""
        now = int(self.now())
        claims: dict[str, Any] = {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": self.client_id,
            "exp": now + 300,
            "iat": now,
            "nonce": grant.nonce,
        }
        if not self.claims_in_user_info:
            claims |= {"email": grant.email, "email_verified": grant.email_verified}
        claims = {name: value for name, value in (claims | grant.claims).items() if value is not REMOVED}
        algorithm = "RS256" if self.key.key_type == "RSA" else "ES256"
        header: dict[str, Any] = {"alg": algorithm, "kid": self.key.kid} | grant.header
        header = {name: value for name, value in header.items() if value is not REMOVED}
        signed = f"{_part(header)}.{_part(claims)}"
        match grant.signed:
            case "unsigned":
                signature = b""
            case "public key":
                # A verifier that lets the token choose the algorithm would use this as the shared secret.
                signature = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            case "other key":
                signature = JWSRegistry.algorithms["RS256"].sign(signed.encode(), rsa_key("another"))
            case _:
                signature = JWSRegistry.algorithms[str(header["alg"])].sign(signed.encode(), self.key)
        return f"{signed}.{_text(signature)}"


@cache
def rsa_key(name: str) -> RSAKey:
    """The key of this name. Key generation is slow, so each process generates it once."""
    return RSAKey.generate_key(2048, auto_kid=True)


def challenge_of(verifier: str) -> str:
    """RFC 7636, method S256."""
    return _text(sha256(verifier.encode()).digest())


def _part(content: Mapping[str, Any]) -> str:
    return _text(json.dumps(content).encode())


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).rstrip(b"=").decode()
