"""A small OpenID provider for the walk, at the address that the server was given for it. It signs anybody in."""

import json
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from twofactor_try.failures import CannotStartError
from twofactor_try.providers import Provider, listening_at


class OpenIdServer:
    """Runs for the time of the block. `lead` is by how many seconds the server's clock is ahead of ours."""

    def __init__(self, provider: Provider, lead: float) -> None:
        self._provider = provider
        self._lead = lead
        self._key = ECKey.generate_key("P-256", auto_kid=True)
        self._grants: dict[str, dict[str, str]] = {}
        place = listening_at(provider.url) or ("127.0.0.1", 0)
        try:
            self._server = HTTPServer(place, _handler(self))
        except OSError as trouble:
            raise CannotStartError(
                f"The walk cannot be {provider.name} at {provider.url}: {trouble.strerror}."
            ) from None

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, form: dict[str, str]) -> tuple[int, dict[str, Any] | str]:
        """Status and JSON; a text is where to redirect to."""
        base = urlsplit(self._provider.url).path
        match path.removeprefix(base):
            case "/.well-known/openid-configuration":
                endpoints = {name: self._provider.url + place for name, place in _ENDPOINTS.items()}
                return 200, {"issuer": self._provider.url} | endpoints
            case "/keys":
                return 200, {"keys": [self._key.as_dict(private=False)]}
            case "/authorize":
                code = secrets.token_urlsafe(24)
                self._grants[code] = form
                return 302, f"{form['redirect_uri']}?{urlencode({'code': code, 'state': form['state']})}"
            case "/token":
                grant = self._grants.pop(form.get("code", ""), None)
                if grant is None or _challenge(form.get("code_verifier", "")) != grant["code_challenge"]:
                    return 400, {"error": "invalid_grant"}
                return 200, {"access_token": "none", "token_type": "Bearer", "id_token": self._id_token(grant)}
        return 404, {}

    def _id_token(self, grant: dict[str, str]) -> str:
        now = int(time.time() + self._lead)
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


_ENDPOINTS = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}


def _challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _handler(provider: OpenIdServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            self._send(*provider.answer(address.path, dict(parse_qsl(address.query))))

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._send(*provider.answer(self.path, dict(parse_qsl(form))))

        def log_message(self, *_: object) -> None:
            """Nothing: the walk's screen is the walk's."""

        def _send(self, status: int, content: dict[str, Any] | str) -> None:
            self.send_response(status)
            if isinstance(content, str):
                self.send_header("Location", content)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

    return Handler
