"""A small OpenID provider for the demo, at the URL that the server is configured with. It accepts every sign-in."""

import json
import secrets
import threading
import time
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from twofactor_try.errors import CannotStartError
from twofactor_try.oauth import pkce_challenge
from twofactor_try.providers import Provider, loopback_address

_ENDPOINTS = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}


class OpenIdProvider:
    """Runs inside a `with` block. `clock_offset` is added to this machine's time in ID tokens, in seconds."""

    def __init__(self, provider: Provider, clock_offset: float) -> None:
        self._provider = provider
        self._clock_offset = clock_offset
        self._key = ECKey.generate_key("P-256", auto_kid=True)
        self._grants: dict[str, dict[str, str]] = {}
        address = loopback_address(provider.url) or ("127.0.0.1", 0)
        try:
            self._server = HTTPServer(address, _handler_class(self))
        except OSError as error:
            raise CannotStartError(
                f"The demo cannot act as the provider {provider.name} at {provider.url} ({error.strerror}). "
                "Stop the program that uses this port."
            ) from None

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def respond(self, path: str, parameters: dict[str, str]) -> tuple[int, dict[str, Any] | str]:
        """The HTTP status, and a JSON object or the URL of a redirect."""
        match path.removeprefix(urlsplit(self._provider.url).path):
            case "/.well-known/openid-configuration":
                endpoints = {name: self._provider.url + endpoint for name, endpoint in _ENDPOINTS.items()}
                return 200, {"issuer": self._provider.url} | endpoints
            case "/keys":
                return 200, {"keys": [self._key.as_dict(private=False)]}
            case "/authorize":
                code = secrets.token_urlsafe(24)
                self._grants[code] = parameters
                query = urlencode({"code": code, "state": parameters["state"]})
                return 302, f"{parameters['redirect_uri']}?{query}"
            case "/token":
                grant = self._grants.pop(parameters.get("code", ""), None)
                if grant is None or pkce_challenge(parameters.get("code_verifier", "")) != grant["code_challenge"]:
                    return 400, {"error": "invalid_grant"}
                return 200, {"access_token": "none", "token_type": "Bearer", "id_token": self._id_token(grant)}
        return 404, {}

    def _id_token(self, grant: dict[str, str]) -> str:
        now = int(time.time() + self._clock_offset)
        email = grant["login_hint"]
        claims = {
            "iss": self._provider.url,
            "sub": sha256(email.encode()).hexdigest()[:20],
            "aud": self._provider.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": grant["nonce"],
            "email": email,
            "email_verified": True,
        }
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key)


def _handler_class(provider: OpenIdProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            self._send(*provider.respond(url.path, dict(parse_qsl(url.query))))

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._send(*provider.respond(self.path, dict(parse_qsl(form))))

        def log_message(self, *_: object) -> None:
            """Keep the terminal for the demo."""

        def _send(self, status: int, content: dict[str, Any] | str) -> None:
            self.send_response(status)
            if isinstance(content, str):
                self.send_header("Location", content)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

    return Handler
