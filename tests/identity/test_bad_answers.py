"""Providers that are down, slow, or answer nonsense: DEPENDENCY_UNAVAILABLE in time, whatever it is."""

import logging
import time
import tracemalloc
from collections.abc import Callable

import pytest

from tests.identity.askers import Asker
from tests.providers import github as of_github
from tests.providers import openid as of_openid
from tests.providers.github import GitHubServer, GitHubUser, address
from tests.providers.openid import OpenIdServer
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
async def test_an_answer_that_is_none(
    asker: Asker, openid: OpenIdServer, github: GitHubServer, path: str, bad: str
) -> None:
    """A 100 MiB body, a redirect, a page in HTML and the like: refused, never followed, never held in memory; and the
    next sign-in works, for nothing of it is kept."""
    web = openid.web if path in OPENID_PATHS else github.web
    ask: Callable[[], types_pb2.OidcCredential | types_pb2.GitHubCredential] = lambda: (  # noqa: E731
        mia(openid) if path in OPENID_PATHS else user(github)
    )
    tracemalloc.start()
    with web.answering(path, bad):
        assert (await asker.refused(ask())).reason is Reason.DEPENDENCY_UNAVAILABLE
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The test's own provider shares the process, and sends in pieces of 64 KiB.
    assert peak < 24 * 1024 * 1024
    assert web.seen["/elsewhere"] == 0
    assert (await asker.ask(ask())).email == "mia@provider.example"


@pytest.mark.parametrize("bad", SLOW)
@pytest.mark.parametrize("path", [of_openid.ABOUT, of_openid.TOKEN, of_github.USER])
async def test_an_answer_that_does_not_come(
    asker: Asker, openid: OpenIdServer, github: GitHubServer, path: str, bad: str
) -> None:
    """The refusal comes before the call's own deadline, also where a byte comes now and then."""
    web = openid.web if path in OPENID_PATHS else github.web
    begin = time.monotonic()
    with web.answering(path, bad):
        given = mia(openid) if path in OPENID_PATHS else user(github)
        assert (await asker.refused(given, seconds=2.0)).reason is Reason.DEPENDENCY_UNAVAILABLE
    assert time.monotonic() - begin < 2.0


async def test_a_provider_that_hangs_holds_up_no_other(
    asker: Asker, openid: OpenIdServer, github: GitHubServer
) -> None:
    with openid.web.answering(of_openid.TOKEN, "hang"):
        assert (await asker.ask(user(github))).subject == "1"


async def test_a_provider_that_is_not_there(asker: Asker, openid: OpenIdServer) -> None:
    credential = mia(openid)
    openid.web.__exit__()
    assert (await asker.refused(credential)).reason is Reason.DEPENDENCY_UNAVAILABLE


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
async def test_a_document_that_leads_astray(asker: Asker, openid: OpenIdServer, about: dict[str, object]) -> None:
    """Another issuer than the one of the settings (OpenID Connect Discovery section 4.3), or endpoints to which no
    secret may be sent."""
    openid.about = about
    assert (await asker.refused(mia(openid))).reason is Reason.DEPENDENCY_UNAVAILABLE
    assert openid.web.seen[of_openid.TOKEN] == 0
    openid.about = {}
    assert (await asker.ask(mia(openid))).subject == "mia"


async def test_a_client_that_the_provider_does_not_know(
    asker: Asker, openid: OpenIdServer, github: GitHubServer
) -> None:
    """That is the operator's fault, not the person's: nobody is told that their sign-in is wrong."""
    openid.client_secret = github.client_secret = "changed"
    for given in (mia(openid), user(github)):
        assert (await asker.refused(given)).reason is Reason.DEPENDENCY_UNAVAILABLE


async def test_no_cookie_is_kept(asker: Asker, openid: OpenIdServer, github: GitHubServer) -> None:
    """Every answer of the test's providers sets one: it would tie one person's sign-in to the next one's."""
    for _ in range(2):
        await asker.ask(mia(openid))
        await asker.ask(user(github))
    assert openid.web.cookies == github.web.cookies == []


async def test_the_log_tells_the_operator_and_no_secret(
    asker: Asker, openid: OpenIdServer, github: GitHubServer, caplog: pytest.LogCaptureFixture
) -> None:
    """At every level, the HTTP library's own lines included."""
    with caplog.at_level(logging.DEBUG):
        one, two, three = mia(openid), user(github), openid.signed_in("mia", signed="other key")
        await asker.ask(one)
        await asker.ask(two)
        await asker.refused(three)
    assert "identity provider example: gave an ID token that is not a token signed as it should be" in caplog.text
    for given in (one, two, three):
        assert given.authorization_code not in caplog.text
        assert given.code_verifier not in caplog.text
    for secret in (openid.client_secret, github.client_secret, "gho_", "eyJ", "mia@provider.example"):
        assert secret not in caplog.text
