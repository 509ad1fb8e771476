"""The two providers that the servers of the tests know."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.providers.github import GitHubServer
from tests.providers.openid import OpenIdServer
from tests.providers.web import Web


@dataclass(frozen=True)
class Providers:
    """An OpenID provider, known as ``example``, and a GitHub."""

    openid: OpenIdServer
    github: GitHubServer

    @property
    def settings(self) -> dict[str, str]:
        """What a server that knows both is started with."""
        return self.openid.settings | self.github.settings


@contextlib.contextmanager
def both(now: Callable[[], float]) -> Iterator[Providers]:
    """Both, running for the time of the block; ``now`` is the time that they write into tokens."""
    with Web() as one, Web() as other:
        yield Providers(OpenIdServer(one, "example", now), GitHubServer(other))
