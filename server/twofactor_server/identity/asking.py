"""HTTP to one provider: a few small JSON answers, under a deadline, with nothing followed and nothing kept."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from twofactor_server.identity.failures import unavailable

LARGEST_BODY = 1024 * 1024
"""Bytes; an answer of a token or of keys is a few thousand."""

_STEP = 5.0
"""Seconds for one connection or one pause between bytes; the whole exchange has a deadline of its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON object or array, and the headers that came with it."""

    status: int
    headers: Mapping[str, str]
    content: Any


class Asking:
    """A client of one provider, with connections of its own: one that hangs holds up nobody else. Each request has a
    fresh one: a kept one that the provider closes at that moment would cost the person the code.

    Redirects are not followed, cookies not kept, proxies and passwords of the environment not used: the request
    holds secrets, and goes where the settings say. Compression is not accepted, so that the cap counts what is there.
    """

    def __init__(self, provider: str) -> None:
        self.provider = provider
        self._client = httpx.AsyncClient(
            verify=_authorities(),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=[])),
            timeout=_STEP,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=0),
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "twofactor"},
        )

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """The answer, which must be a 200; anything else: DEPENDENCY_UNAVAILABLE."""
        answer = await self._ask("GET", url, headers, None)
        if answer.status != httpx.codes.OK:
            raise unavailable(self.provider, f"answered GET {_path(url)} with {answer.status}")
        return answer

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """The answer, which may be the JSON of an OAuth error (status 400 or 401)."""
        answer = await self._ask("POST", url, headers, form)
        if answer.status not in (httpx.codes.OK, httpx.codes.BAD_REQUEST, httpx.codes.UNAUTHORIZED):
            raise unavailable(self.provider, f"answered POST {_path(url)} with {answer.status}")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None, form: Mapping[str, str] | None
    ) -> Answer:
        try:
            async with self._client.stream(method, url, headers=headers, data=form) as response:
                content = await self._read(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise unavailable(self.provider, f"{method} {_path(url)} failed: {type(error).__name__}") from None
        if not content and response.status_code >= httpx.codes.BAD_REQUEST:
            return Answer(response.status_code, response.headers, {})
        try:
            return Answer(response.status_code, response.headers, json.loads(content))
        except (ValueError, RecursionError):
            # A page in HTML, as an outage shows it, or nesting without end.
            raise unavailable(
                self.provider, f"answered {method} {_path(url)} with {response.status_code} and no JSON"
            ) from None

    async def _read(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise unavailable(self.provider, "compressed an answer unasked")
        content = bytearray()
        async for chunk in response.aiter_raw():
            content += chunk
            if len(content) > LARGEST_BODY:
                raise unavailable(self.provider, "sent more than 1 MiB")
        return bytes(content)


@cache
def _authorities() -> ssl.SSLContext:
    """Those of certifi, or of SSL_CERT_FILE or SSL_CERT_DIR where a company has its own; read once."""
    return httpx.create_ssl_context()


def _path(url: str) -> str:
    """The URL without its query, for the log."""
    return url.partition("?")[0]
