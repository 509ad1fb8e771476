"""What every provider is to the rest of the server."""

from abc import ABC, abstractmethod

from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential


class Provider(ABC):
    """One configured provider. ``redirect_uris`` are its own: no two providers share one, so that a code of one can
    never be sent to the other (RFC 9207)."""

    def __init__(self, name: str, redirect_uris: tuple[str, ...]) -> None:
        self.name = name
        self.redirect_uris = redirect_uris

    @abstractmethod
    async def ask(self, credential: ProviderCredential, *, want_email: bool) -> ProvenIdentity:
        """Exchange the code. A code that is refused: CREDENTIALS_MISMATCH; anything else: DEPENDENCY_UNAVAILABLE."""

    @abstractmethod
    async def close(self) -> None:
        """Close the connections."""
