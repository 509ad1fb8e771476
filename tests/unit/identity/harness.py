"""Runs exchanges with providers as a flow does."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from twofactor.v1 import sign_in_service_pb2, types_pb2
from twofactor_server.api.credentials import CredentialReader
from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.domain.refusals import Refusal
from twofactor_server.identity.providers import IdentityProviders


@dataclass
class SetClock:
    """A clock that the test sets."""

    now: datetime

    def advance(self, span: timedelta) -> None:
        self.now += span


@dataclass
class Harness:
    """The configured providers, called as a flow calls them."""

    providers: IdentityProviders

    async def exchange(
        self, given: types_pb2.OidcCredential | types_pb2.GitHubCredential, seconds: float = 10.0
    ) -> ProvenIdentity:
        """What the provider answers; the call has that many seconds."""
        if isinstance(given, types_pb2.OidcCredential):
            request = sign_in_service_pb2.StartSignInRequest(oidc=given)
        else:
            request = sign_in_service_pb2.StartSignInRequest(github=given)
        credential = CredentialReader(self.providers).first_factor(request)
        assert isinstance(credential, ProviderCredential)
        return await self.providers.exchange(credential, time.monotonic() + seconds, want_email=True)

    async def refused(
        self, given: types_pb2.OidcCredential | types_pb2.GitHubCredential, seconds: float = 10.0
    ) -> Refusal:
        """The refusal that the exchange raises."""
        with pytest.raises(Refusal) as caught:
            await self.exchange(given, seconds)
        return caught.value
