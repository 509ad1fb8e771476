"""Providers that are down, slow, or send invalid responses: DEPENDENCY_UNAVAILABLE, in time."""

import logging
import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.support.providers import github as of_github
from tests.support.providers import openid as of_openid
from tests.support.providers.github import GitHubServer, GitHubUser, address
from tests.support.providers.openid import OpenIdServer
from tests.unit.identity.harness import Harness
from twofactor.v1 import types_pb2
from twofactor_server.domain.refusals import Reason

QUICK = ("500", "404", "503", "429", "201", "huge", "endless", "redirect", "html", "deep", "gzip", "cut")
SLOW = ("hang", "drip")
OPENID_PATHS = (of_openid.ABOUT, of_openid.KEYS, of_openid.TOKEN)
GITHUB_PATHS = (of_github.TOKEN, of_github.USER, of_github.EMAILS)


def mia(openid: OpenIdServer) -> types_pb2.OidcCredential:
    return openid.signed_in("mia")


def user(github: GitHubServer) -> types_pb2.GitHubCredential:
    return github.signed_in(GitHubUser(1, emails=[address("mia@provider.example")]))


@pytest.mark.parametrize("bad", QUICK)
@pytest.mark.parametrize("path", OPENID_PATHS + GITHUB_PATHS)
async def test_an_invalid_response_is_rejected(
    harness: Harness, openid: OpenIdServer, github: GitHubServer, path: str, bad: str
) -> None:
    """A 100 MiB body, a redirect, an HTML page and the like: not followed and not held in memory. It is not cached,
    so the next sign-in works."""
    web = openid.web if path in OPENID_PATHS else github.web
    ask: Callable[[], types_pb2.OidcCredential | types_pb2.GitHubCredential] = lambda: (  # noqa: E731
        mia(openid) if path in OPENID_PATHS else user(github)
    )
    tracemalloc.start()
    with web.answering(path, bad):
        assert (await harness.refused(ask())).reason is Reason.DEPENDENCY_UNAVAILABLE
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The test's provider runs in the same process and sends in chunks of 64 KiB.
    assert peak < 24 * 1024 * 1024
    assert web.seen["/elsewhere"] == 0
    assert (await harness.exchange(ask())).email == "mia@provider.example"


@pytest.mark.parametrize("bad", SLOW)
@pytest.mark.parametrize("path", [of_openid.ABOUT, of_openid.TOKEN, of_github.USER])
async def test_a_slow_response_times_out(
    harness: Harness, openid: OpenIdServer, github: GitHubServer, path: str, bad: str
) -> None:
    """Before the call's own deadline, even if the provider sends a byte now and then."""
    web = openid.web if path in OPENID_PATHS else github.web
    begin = time.monotonic()
    with web.answering(path, bad):
        given = mia(openid) if path in OPENID_PATHS else user(github)
        assert (await harness.refused(given, seconds=2.0)).reason is Reason.DEPENDENCY_UNAVAILABLE
    assert time.monotonic() - begin < 2.0


async def test_a_provider_that_hangs_does_not_delay_others(
    harness: Harness, openid: OpenIdServer, github: GitHubServer
) -> None:
    with openid.web.answering(of_openid.TOKEN, "hang"):
        assert (await harness.exchange(user(github))).subject == "1"


async def test_an_unreachable_provider_is_unavailable(harness: Harness, openid: OpenIdServer) -> None:
    credential = mia(openid)
    openid.web.__exit__()
    assert (await harness.refused(credential)).reason is Reason.DEPENDENCY_UNAVAILABLE


@pytest.mark.parametrize(
    "about",
    [
        {"issuer": "https://other.example"},
        {"issuer": None},
        {"token_endpoint": None},
        {"token_endpoint": "http://provider.example/token"},
        {"token_endpoint": "file:///etc/passwd"},
        {"token_endpoint": "https://user:secret@provider.example/token"},
        {"jwks_uri": "ftp://provider.example/keys"},
        {"jwks_uri": "//provider.example/keys"},
        {"jwks_uri": 7},
    ],
)
async def test_invalid_metadata_is_rejected(harness: Harness, openid: OpenIdServer, about: dict[str, object]) -> None:
    """Another issuer than in the settings (OpenID Connect Discovery section 4.3), or endpoints to which no secret
    may be sent."""
    openid.about = about
    assert (await harness.refused(mia(openid))).reason is Reason.DEPENDENCY_UNAVAILABLE
    assert openid.web.seen[of_openid.TOKEN] == 0
    openid.about = {}
    assert (await harness.exchange(mia(openid))).subject == "mia"


async def test_a_client_that_the_provider_rejects(harness: Harness, openid: OpenIdServer, github: GitHubServer) -> None:
    """The operator must fix this; the user's credential is not blamed."""
    openid.client_secret = github.client_secret = "changed"
    for given in (mia(openid), user(github)):
        assert (await harness.refused(given)).reason is Reason.DEPENDENCY_UNAVAILABLE


async def test_cookies_are_not_stored(harness: Harness, openid: OpenIdServer, github: GitHubServer) -> None:
    """Every response of the test's providers sets a cookie, which would link one user's sign-in to the next one's."""
    for _ in range(2):
        await harness.exchange(mia(openid))
        await harness.exchange(user(github))
    assert openid.web.cookies == github.web.cookies == []


async def test_the_log_names_the_problem_and_no_secret(
    harness: Harness, openid: OpenIdServer, github: GitHubServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At every level, including the HTTP library's messages."""
    with caplog.at_level(logging.DEBUG):
        one, two, three = mia(openid), user(github), openid.signed_in("mia", signed="other key")
        await harness.exchange(one)
        await harness.exchange(two)
        await harness.refused(three)
    assert "identity provider example: returned an invalid ID token: no valid signature" in caplog.text
    for given in (one, two, three):
        assert given.authorization_code not in caplog.text
        assert given.code_verifier not in caplog.text
    for secret in (openid.client_secret, github.client_secret, "gho_", "eyJ", "mia@provider.example"):
        assert secret not in caplog.text
