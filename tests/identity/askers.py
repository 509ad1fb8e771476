"""Asking a provider, and how it came out."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from twofactor.v1 import types_pb2
from twofactor_server.api import credentials
from twofactor_server.domain.identities import ProvenIdentity
from twofactor_server.domain.refusals import Refusal
from twofactor_server.identity.providers import IdentityProviders


@dataclass
class SetClock:
    """A time that is set."""

    now: datetime

    def advance(self, span: timedelta) -> None:
        """Let time pass."""
        self.now += span


@dataclass
class Asker:
    """The configured providers, asked as a flow asks them."""

    providers: IdentityProviders

    async def ask(
        self, given: types_pb2.OidcCredential | types_pb2.GitHubCredential, seconds: float = 10.0
    ) -> ProvenIdentity:
        """What the provider says; the call has so many seconds."""
        oidc = isinstance(given, types_pb2.OidcCredential)
        credential = credentials.oidc(given, "oidc") if oidc else credentials.github(given, "github")  # type: ignore[arg-type]
        self.providers.check(credential)
        return await self.providers.exchange(credential, time.monotonic() + seconds, want_email=True)

    async def refused(
        self, given: types_pb2.OidcCredential | types_pb2.GitHubCredential, seconds: float = 10.0
    ) -> Refusal:
        """The refusal."""
        with pytest.raises(Refusal) as caught:
            await self.ask(given, seconds)
        return caught.value
