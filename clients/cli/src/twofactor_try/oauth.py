"""Sign-in with an identity provider, as a front end does it: authorization code flow with PKCE, state and nonce."""

import json
import secrets
import sys
import urllib.request
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qs, urlencode, urlsplit

from twofactor.v1.types_pb2 import GitHubCredential, OidcCredential
from twofactor_try.errors import CannotStartError
from twofactor_try.providers import Provider, loopback_address
from twofactor_try.terminal import is_interactive

CALLBACK_SECONDS = 300
DISCOVERY_SECONDS = 10

Credential = dict[str, Any]
"""One credential, under the name of the field that requests have for it: `CreateAccountRequest(**credential)`."""


@dataclass(frozen=True)
class AuthorizationRequest:
    """One authorization request. `url` is what the person opens; the rest is needed to check the redirect."""

    provider: Provider
    url: str
    state: str
    nonce: str
    code_verifier: str

    def credential(self, redirect_url: str) -> Credential:
        """The credential in the URL that the provider redirected to. CannotStartError if it answers another request."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(redirect_url.strip()).query).items()}
        if "error" in answer:
            raise CannotStartError(f"{self.provider.name} rejected the sign-in ({answer['error']}). Try again.")
        if not secrets.compare_digest(answer.get("state", "").encode(), self.state.encode()) or "code" not in answer:
            raise CannotStartError("This URL does not belong to this sign-in. Run the command again.")
        common = {
            "authorization_code": answer["code"],
            "code_verifier": self.code_verifier,
            "redirect_uri": self.provider.redirect_uri,
        }
        if self.provider.name == "github":
            return {"github": GitHubCredential(**common)}
        return {"oidc": OidcCredential(provider=self.provider.name, nonce=self.nonce, **common)}


def new_authorization_request(provider: Provider, login_hint: str = "") -> AuthorizationRequest:
    """A request with fresh secrets."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    query = {
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "state": state,
        "code_challenge": pkce_challenge(verifier),
        "code_challenge_method": "S256",
    }
    if provider.name == "github":
        endpoint, query["scope"] = f"{provider.url}/login/oauth/authorize", "user:email"
    else:
        endpoint = _authorization_endpoint(provider)
        query |= {"response_type": "code", "scope": "openid email", "nonce": nonce}
        if login_hint:
            query["login_hint"] = login_hint
    return AuthorizationRequest(provider, f"{endpoint}?{urlencode(query)}", state, nonce, verifier)


def pkce_challenge(verifier: str) -> str:
    """The S256 code challenge (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def sign_in_with_provider(provider: Provider) -> Credential:
    """Let the person sign in at the provider, and receive the redirect: on loopback, or as a URL that they paste."""
    request = new_authorization_request(provider)
    address = loopback_address(provider.redirect_uri)
    if address is not None:
        return request.credential(_receive_redirect(address, request.url))
    if not is_interactive():
        raise CannotStartError(
            f"{provider.name} redirects to {provider.redirect_uri}, and there is no terminal to paste the "
            "resulting URL into. Add a redirect URI on this machine, such as http://127.0.0.1:9311/callback."
        )
    _show(request.url)
    return request.credential(input("Then paste the whole URL of the page that it ends on: "))


def _authorization_endpoint(provider: Provider) -> str:
    url = f"{provider.url}/.well-known/openid-configuration"
    if not url.startswith(("https://", "http://")):
        raise CannotStartError(f"The issuer of {provider.name} must start with https:// or http://. Correct it.")
    try:
        with urllib.request.urlopen(url, timeout=DISCOVERY_SECONDS) as response:  # noqa: S310 - http or https
            endpoint = json.load(response)["authorization_endpoint"]
    except (URLError, OSError, ValueError, KeyError, TypeError):
        raise CannotStartError(f"Cannot read {url}. Check the issuer of {provider.name}, and that it runs.") from None
    return str(endpoint)


def _show(url: str) -> None:
    print(f"Open this URL in a browser:\n{url}", file=sys.stderr, flush=True)


def _receive_redirect(address: tuple[str, int], url: str) -> str:
    """The path and query of the first request to `address`, after the person has opened `url`."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"Done. Return to the terminal.\n")

        def log_message(self, *_: object) -> None:
            """The path contains the authorization code, so it is not logged."""

    try:
        server = HTTPServer(address, Handler)
    except OSError as error:
        raise CannotStartError(
            f"Cannot listen on {address[0]}:{address[1]} ({error.strerror}). Stop the program that uses this port."
        ) from None
    with server:
        # Only now: a browser that is already signed in at the provider follows the redirect immediately.
        _show(url)
        server.timeout = CALLBACK_SECONDS
        server.handle_request()
    if not paths:
        raise CannotStartError(f"No redirect arrived within {CALLBACK_SECONDS // 60} minutes. Run the command again.")
    return paths[0]
