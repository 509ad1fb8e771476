"""Providers on loopback, and the server's clients of them."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from tests.support.providers.github import GitHubServer
from tests.support.providers.openid import OpenIdServer
from tests.support.providers.web import Web
from tests.unit.identity.harness import Harness, SetClock
from twofactor_server.identity.github import GitHubProvider
from twofactor_server.identity.openid import OpenIdProvider
from twofactor_server.identity.providers import IdentityProviders


@pytest.fixture
def clock() -> SetClock:
    """The clock of server and provider. Certificates and keys are real, so it is close to the present."""
    return SetClock(datetime.now(UTC) + timedelta(hours=1))


@pytest.fixture
def openid(clock: SetClock) -> Iterator[OpenIdServer]:
    """An OpenID provider for one test."""
    with Web() as web:
        yield OpenIdServer(web, "example", lambda: clock.now.timestamp())


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    """A GitHub for one test."""
    with Web() as web:
        yield GitHubServer(web)


@pytest_asyncio.fixture
async def harness(openid: OpenIdServer, github: GitHubServer, clock: SetClock) -> AsyncIterator[Harness]:
    """The clients of both providers."""
    providers = IdentityProviders(
        [
            OpenIdProvider(
                openid.name, openid.issuer, openid.client_id, openid.client_secret, (openid.redirect_uri,),
                lambda: clock.now,
            ),
            GitHubProvider(github.web.url, github.client_id, github.client_secret, (github.redirect_uri,)),
        ]
    )  # fmt: skip
    yield Harness(providers)
    await providers.close()
