"""The configured providers."""

import asyncio
import time
from collections.abc import Iterable

from twofactor_server.domain.identities import GITHUB, ProvenIdentity, ProviderCredential
from twofactor_server.identity.provider import Provider, unavailable

EXCHANGE_SECONDS = 7.0
"""The time limit of one exchange, with all its requests."""

RESERVE_SECONDS = 1.0
"""How much of the call's own time is kept for the work after the exchange."""


class IdentityProviders:
    """Providers by name; none by default."""

    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        self._providers = {provider.name: provider for provider in providers}

    def serves(self, credential: ProviderCredential) -> bool:
        """Whether the provider is configured and speaks the protocol of the credential."""
        configured = credential.provider in self._providers
        return configured and (credential.first_factor == GITHUB) == (credential.provider == GITHUB)

    def allows_redirect(self, credential: ProviderCredential) -> bool:
        """Whether the redirect URI is exactly one of those in the settings of this provider."""
        return credential.redirect_uri in self._providers[credential.provider].redirect_uris

    async def exchange(
        self, credential: ProviderCredential, deadline: float, *, want_email: bool = False
    ) -> ProvenIdentity:
        """Redeem the authorization code of a configured provider. Never call this inside a transaction.

        Raises CREDENTIALS_MISMATCH if the provider rejects the code or it belongs to another sign-in, and
        DEPENDENCY_UNAVAILABLE if the provider is down, slow or misbehaves: always before ``deadline`` (on
        ``time.monotonic``).
        """
        provider = self._providers[credential.provider]
        seconds = max(0.0, min(EXCHANGE_SECONDS, deadline - time.monotonic() - RESERVE_SECONDS))
        try:
            async with asyncio.timeout(seconds):
                return await provider.exchange(credential, want_email=want_email)
        except TimeoutError:
            raise unavailable(provider.name, "took too long") from None

    async def close(self) -> None:
        """Close all connections."""
        for provider in self._providers.values():
            await provider.close()
