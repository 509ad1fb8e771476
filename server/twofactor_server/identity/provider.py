"""The interface of a provider, and the two ways in which an exchange fails."""

import logging
from abc import ABC, abstractmethod
from datetime import timedelta

from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.domain.refusals import Reason, Refusal

logger = logging.getLogger(__name__)

RETRY_AFTER = timedelta(seconds=1)


class Provider(ABC):
    """One configured provider.

    No two providers share a redirect URI, so an authorization code of one is never sent to another (RFC 9207).
    """

    def __init__(self, name: str, redirect_uris: tuple[str, ...]) -> None:
        self.name = name
        self.redirect_uris = redirect_uris

    @abstractmethod
    async def exchange(self, credential: ProviderCredential, *, want_email: bool) -> ProvenIdentity:
        """Redeem the authorization code. Raises ``code_rejected()`` or ``unavailable()``."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""


def code_rejected() -> Refusal:
    """The provider rejects the code, or the code belongs to another sign-in: the user must start over."""
    return Refusal(Reason.CREDENTIALS_MISMATCH)


def unavailable(provider: str, problem: str) -> Refusal:
    """The provider does not respond, or responds incorrectly.

    ``problem`` goes to the log. It must not contain anything that the provider sent, which may be a secret.
    """
    logger.warning("identity provider %s: %s", provider, problem)
    return Refusal(Reason.DEPENDENCY_UNAVAILABLE, retry_after=RETRY_AFTER)
