"""The configured providers, and the one question to them."""

import asyncio
import time
from collections.abc import Iterable

from twofactor_server.domain.identities import GITHUB, ProvenIdentity, ProviderCredential
from twofactor_server.domain.refusals import Reason, Refusal, invalid
from twofactor_server.identity.failures import unavailable
from twofactor_server.identity.provider import Provider

LONGEST = 7.0
"""Seconds for one exchange, all its requests together."""

RESERVE = 1.0
"""Seconds of the call's own time that are kept for what follows the exchange."""


class IdentityProviders:
    """All of them, by name; none by default."""

    def __init__(self, providers: Iterable[Provider] = ()) -> None:
        self._providers = {provider.name: provider for provider in providers}

    def check(self, credential: ProviderCredential) -> None:
        """Refuse a credential before anything is asked or charged: a provider that is not configured, a redirect URI
        that is not exactly one of its own, a field that is missing."""
        known = credential.provider in self._providers
        if credential.provider and (
            not known or (credential.first_factor == GITHUB) != (credential.provider == GITHUB)
        ):
            raise Refusal(Reason.PROVIDER_NOT_CONFIGURED)
        credential.check()
        if credential.redirect_uri not in self._providers[credential.provider].redirect_uris:
            raise invalid(f"{credential.path}.redirect_uri", "one of those in the server's settings")

    async def exchange(
        self, credential: ProviderCredential, deadline: float, *, want_email: bool = False
    ) -> ProvenIdentity:
        """Ask the provider whose code that is; ``check`` came before. Never inside a transaction.

        A code that it refuses, or that is of another sign-in: CREDENTIALS_MISMATCH. A provider that is down, slow or
        wrong: DEPENDENCY_UNAVAILABLE, before ``deadline`` (on ``time.monotonic``).
        """
        provider = self._providers[credential.provider]
        try:
            async with asyncio.timeout(max(0.0, min(LONGEST, deadline - time.monotonic() - RESERVE))):
                return await provider.ask(credential, want_email=want_email)
        except TimeoutError:
            raise unavailable(provider.name, "took too long") from None

    async def close(self) -> None:
        """Close all connections."""
        for provider in self._providers.values():
            await provider.close()
