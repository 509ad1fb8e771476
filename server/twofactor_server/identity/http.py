"""HTTP requests to one provider: small JSON responses, without redirects or cookies."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from twofactor_server.identity.provider import unavailable

MAX_BODY_BYTES = 1024 * 1024
"""Tokens and key sets take a few thousand bytes."""

_TIMEOUT_SECONDS = 5.0
"""For connecting, and between two reads. ``IdentityProviders.exchange`` limits the whole exchange."""


@dataclass(frozen=True, slots=True)
class Response:
    """``content`` is the parsed JSON."""

    status: int
    headers: Mapping[str, str]
    content: Any


class ProviderClient:
    """Each provider has a client of its own, so a provider that hangs does not delay the others.

    Connections are not reused: if the provider closed one at that moment, the user's authorization code would be lost.
    A request holds secrets and goes only where the settings say: redirects, cookies, and the proxies and passwords of
    the environment are disabled. Compression is disabled, so that MAX_BODY_BYTES limits the memory used.
    """

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self._client = httpx.AsyncClient(
            verify=_tls_context(),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=_TIMEOUT_SECONDS,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=0),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "twofactor"},
        )

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        """A response with status 200. Raises DEPENDENCY_UNAVAILABLE for any other."""
        response = await self._request("GET", url, headers, None)
        if response.status != httpx.codes.OK:
            raise unavailable(self.provider, f"GET {_path(url)} returned {response.status}")
        return response

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Response:
        """A response with status 200, or with 400 or 401, which carry an OAuth error."""
        response = await self._request("POST", url, headers, form)
        if response.status not in (httpx.codes.OK, httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
            raise unavailable(self.provider, f"POST {_path(url)} returned {response.status}")
        return response

    async def close(self) -> None:
        await self._client.aclose()

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str] | None, form: Mapping[str, str] | None
    ) -> Response:
        try:
            async with self._client.stream(method, url, headers=headers, data=form) as response:
                body = await self._read_body(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unavailable(self.provider, f"{method} {_path(url)} failed: {type(error).__name__}") from None
        if not body and response.status_code >= httpx.codes.BAD_REQUEST:
            return Response(response.status_code, response.headers, {})
        try:
            return Response(response.status_code, response.headers, json.loads(body))
        except (ValueError, RecursionError):
            # For example the HTML page of an outage, or nesting that exhausts the parser's stack.
            raise unavailable(
                self.provider, f"{method} {_path(url)} returned {response.status_code} without JSON"
            ) from None

    async def _read_body(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise unavailable(self.provider, "sent a compressed response, although the request does not accept one")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                raise unavailable(self.provider, "sent more than 1 MiB")
        return bytes(body)


@cache
def _tls_context() -> ssl.SSLContext:
    """Trusts certifi's authorities, or those of SSL_CERT_FILE or SSL_CERT_DIR."""
    return httpx.create_ssl_context()


def _path(url: str) -> str:
    """The URL without its query, for the log."""
    return url.partition("?")[0]
