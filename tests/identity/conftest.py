"""Providers on loopback, and the server's own way to them."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.identity.askers import Asker, SetClock
from tests.providers.github import GitHubServer
from tests.providers.openid import OpenIdServer
from tests.providers.web import Web
from twofactor_server.identity.github import GitHubProvider
from twofactor_server.identity.openid import OpenIdProvider
from twofactor_server.identity.providers import IdentityProviders


@pytest.fixture
def clock() -> SetClock:
    """The time of server and provider alike; keys are real, so it is not far from theirs."""
    return SetClock(datetime.now(UTC) + timedelta(hours=1))


@pytest.fixture
def openid(clock: SetClock) -> Iterator[OpenIdServer]:
    """An OpenID provider of this test's own."""
    with Web() as web:
        yield OpenIdServer(web, "example", lambda: clock.now.timestamp())


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    """A GitHub of this test's own."""
    with Web() as web:
        yield GitHubServer(web)


@pytest_asyncio.fixture
async def asker(openid: OpenIdServer, github: GitHubServer, clock: SetClock) -> AsyncIterator[Asker]:
    """Both, configured."""
    providers = IdentityProviders(
        [
            OpenIdProvider(
                openid.name, openid.issuer, openid.client_id, openid.client_secret, (openid.redirect_uri,),
                lambda: clock.now,
            ),
            GitHubProvider(github.web.url, github.client_id, github.client_secret, (github.redirect_uri,)),
        ]
    )  # fmt: skip
    yield Asker(providers)
    await providers.close()
