"""The server's OpenID client against a provider that the OpenID Foundation has certified.

Run by ``make test-oidc``, which installs the provider; ``make test`` needs neither Node nor its packages.
"""

import secrets
import subprocess
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import pytest_asyncio

from tests.support.providers.openid import challenge_of
from tests.unit.identity.harness import Harness
from twofactor.v1 import types_pb2
from twofactor_server.domain.refusals import Reason
from twofactor_server.identity.openid import OpenIdProvider
from twofactor_server.identity.providers import IdentityProviders

SECRET = "a secret: with %41 & signs"
REDIRECT_URI = "https://client.example/node/callback"
CLIENTS = ("RS256 client_secret_basic", "PS256 client_secret_post", "ES256 client_secret_basic")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """The running provider; yields its issuer."""
    folder = Path(__file__).parent
    command = ["node", "provider.mjs", SECRET, REDIRECT_URI]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        # What the provider warns of comes before, on the same line or another.
        line = next((line for line in process.stdout if line.startswith("http://127.0.0.1:")), "")
        assert line, "the provider did not start"
        yield line.strip()
        process.stdin.close()


@pytest_asyncio.fixture(params=CLIENTS)
async def harness(request: pytest.FixtureRequest, issuer: str) -> AsyncIterator[Harness]:
    """The server's own way to it, as one of its clients."""
    provider = OpenIdProvider("node", issuer, request.param, SECRET, (REDIRECT_URI,), lambda: datetime.now(UTC))
    providers = IdentityProviders([provider])
    yield Harness(providers)
    await providers.close()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Do not follow redirects: each step is inspected."""


def signed_in(issuer: str, client_id: str, who: str, **changed: str) -> types_pb2.OidcCredential:
    """Sign in at the provider as a browser does, with cookies and redirects, until the redirect to the front end."""
    nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    query = {
        "client_id": client_id, "redirect_uri": REDIRECT_URI, "response_type": "code", "scope": "openid email",
        "state": "state", "nonce": nonce, "login_hint": who,
        "code_challenge": challenge_of(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    browser = urllib.request.build_opener(_Stay, urllib.request.HTTPCookieProcessor(CookieJar()))
    address = f"{issuer}/auth?{urlencode(query)}"
    for _ in range(8):
        if address.startswith(REDIRECT_URI):
            break
        with pytest.raises(HTTPError) as redirect:
            browser.open(address, timeout=10)
        address = urljoin(address, redirect.value.headers["Location"])
        redirect.value.close()
    answer = parse_qs(urlsplit(address).query)
    # RFC 9207: the provider says who it is beside the code, too.
    assert (answer["state"], answer["iss"]) == (["state"], [issuer])
    fields = {
        "provider": "node", "authorization_code": answer["code"][0], "code_verifier": verifier, "nonce": nonce,
        "redirect_uri": REDIRECT_URI,
    }  # fmt: skip
    return types_pb2.OidcCredential(**(fields | changed))


async def test_a_person_is_who_the_provider_says(harness: Harness, issuer: str, request: pytest.FixtureRequest) -> None:
    """Signed by three algorithms, the secret shown in two ways; the address comes from UserInfo, as certified providers
    tell it, and only a verified one counts."""
    client_id = request.node.callspec.params["harness"]
    identity = await harness.exchange(signed_in(issuer, client_id, "mia"))
    assert (identity.issuer, identity.subject, identity.email) == (issuer, "mia", "mia@provider.example")
    assert (await harness.exchange(signed_in(issuer, client_id, "unverified-mia"))).email is None


async def test_a_code_is_good_for_one_sign_in(harness: Harness, issuer: str, request: pytest.FixtureRequest) -> None:
    """Not twice, not with another verifier, not with another nonce."""
    client_id = request.node.callspec.params["harness"]
    spent = signed_in(issuer, client_id, "mia")
    await harness.exchange(spent)
    for given in (
        spent,
        signed_in(issuer, client_id, "mia", code_verifier="v" * 43),
        signed_in(issuer, client_id, "mia", nonce="another session's"),
        signed_in(issuer, client_id, "mia", authorization_code="made up"),
    ):
        assert (await harness.refused(given)).reason is Reason.CREDENTIALS_MISMATCH
