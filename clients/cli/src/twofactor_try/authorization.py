"""Signing in at a provider, as a front end has it done: PKCE, state and nonce out, an authorization code back."""

import json
import secrets
import sys
import urllib.request
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.error import URLError
from urllib.parse import parse_qs, urlencode, urlsplit

from twofactor.v1.types_pb2 import GitHubCredential, OidcCredential
from twofactor_try.failures import CannotStartError
from twofactor_try.providers import Provider, listening_at
from twofactor_try.terminal import person_present

WAIT_SECONDS = 300
DISCOVERY_SECONDS = 10

ProviderCredential = OidcCredential | GitHubCredential


@dataclass(frozen=True)
class Authorization:
    """One request for a sign-in. `url` is what the person opens; the rest stays here until they are back."""

    provider: Provider
    url: str
    state: str
    nonce: str
    verifier: str

    def credential(self, redirected_to: str) -> ProviderCredential:
        """What the provider's redirect brought; CannotStartError if it is not an answer to this request."""
        answer = {name: values[0] for name, values in parse_qs(urlsplit(redirected_to.strip()).query).items()}
        if "error" in answer:
            raise CannotStartError(f"{self.provider.name} did not sign anybody in ({answer['error']}).")
        if not secrets.compare_digest(answer.get("state", "").encode(), self.state.encode()) or "code" not in answer:
            raise CannotStartError("That is not the address that this sign-in was sent back to.")
        uri = self.provider.redirect_uri
        if self.provider.name == "github":
            return GitHubCredential(authorization_code=answer["code"], code_verifier=self.verifier, redirect_uri=uri)
        return OidcCredential(
            provider=self.provider.name,
            authorization_code=answer["code"],
            code_verifier=self.verifier,
            nonce=self.nonce,
            redirect_uri=uri,
        )


def begin(provider: Provider, hint: str = "") -> Authorization:
    """A fresh request. `hint` says who is about to sign in, for a provider that asks."""
    state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
    query = {
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "state": state,
        "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if provider.name == "github":
        page, query["scope"] = f"{provider.url}/login/oauth/authorize", "user:email"
    else:
        page = _authorization_endpoint(provider)
        query |= {"response_type": "code", "scope": "openid email", "nonce": nonce}
        if hint:
            query["login_hint"] = hint
    return Authorization(provider, f"{page}?{urlencode(query)}", state, nonce, verifier)


def sign_in_there(provider: Provider) -> ProviderCredential:
    """Have the person sign in at the provider, and take what they come back with: by listening where the redirect leads
    on this machine, or from the address that they paste."""
    authorization = begin(provider)
    place = listening_at(provider.redirect_uri)
    if place is not None:
        return authorization.credential(_redirected_to(place, authorization.url))
    _show(authorization.url)
    if not person_present():
        raise CannotStartError(
            f"{provider.name} sends the browser to {provider.redirect_uri}, where we cannot listen, and there is no "
            "terminal to paste the address at: add a redirect URI such as http://127.0.0.1:9311/callback."
        )
    return authorization.credential(input("Then paste the whole address that it ends at: "))


def _authorization_endpoint(provider: Provider) -> str:
    place = f"{provider.url}/.well-known/openid-configuration"
    if not place.startswith(("https://", "http://")):
        raise CannotStartError(f"The issuer of {provider.name} is no address on the web.")
    try:
        with urllib.request.urlopen(place, timeout=DISCOVERY_SECONDS) as answer:  # noqa: S310 -- http or https
            endpoint = json.load(answer)["authorization_endpoint"]
    except (URLError, OSError, ValueError, KeyError, TypeError):
        raise CannotStartError(f"{provider.name} does not answer at {place}.") from None
    return str(endpoint)


def _show(url: str) -> None:
    print(f"Open this address in a browser:\n{url}", file=sys.stderr, flush=True)


def _redirected_to(place: tuple[str, int], url: str) -> str:
    """The address of the first request that comes to this place, once the person has opened `url`."""
    arrived: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            arrived.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            self.wfile.write(b"Done. Go back to the terminal.\n")

        def log_message(self, *_: object) -> None:
            """Nothing: the address holds the code."""

    try:
        server = HTTPServer(place, Handler)
    except OSError as trouble:
        raise CannotStartError(f"Nobody can listen at {place[0]}:{place[1]} ({trouble.strerror}).") from None
    with server:
        # Not before we listen: a browser that knows the person may be back at once.
        _show(url)
        server.timeout = WAIT_SECONDS
        server.handle_request()
    if not arrived:
        raise CannotStartError(f"Nobody came back within {WAIT_SECONDS // 60} minutes.")
    return arrived[0]
