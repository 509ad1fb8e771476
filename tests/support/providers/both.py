"""The two identity providers of the test servers."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.support.providers.github import GitHubServer
from tests.support.providers.openid import OpenIdServer
from tests.support.providers.web import Web


@dataclass(frozen=True)
class Providers:
    """An OpenID provider with the name ``example``, and a GitHub server."""

    openid: OpenIdServer
    github: GitHubServer

    @property
    def settings(self) -> dict[str, str]:
        """The settings of a server that uses both."""
        return self.openid.settings | self.github.settings


@contextlib.contextmanager
def both(now: Callable[[], float]) -> Iterator[Providers]:
    """Run both for the duration of the block; ``now`` is the time in their tokens."""
    with Web() as one, Web() as other:
        yield Providers(OpenIdServer(one, "example", now), GitHubServer(other))
