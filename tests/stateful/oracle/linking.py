"""Who people are at their providers, and what an account knows of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class KnownAs:
    """An identity: a provider's name, and the person's id there."""

    provider: str
    subject: str

    @property
    def first_factor(self) -> str:
        """What a challenge is begun by."""
        return "github" if self.provider == "github" else "oidc"


@dataclass(frozen=True)
class Credential:
    """An authorization code, which the person of ``identity`` brings from the provider with ``email``. ``given``: the
    provider gave it; its other fields are those of the request."""

    identity: KnownAs
    email: str
    code: str
    verifier: str
    nonce: str
    redirect_uri: str
    given: bool = True


@dataclass(frozen=True)
class Identity:
    """A link. ``email`` is what the provider told at that time."""

    known_as: KnownAs
    email: str
    linked: datetime


def linked_as(identities: Mapping[str, Identity], known_as: KnownAs) -> str | None:
    """The link to this identity, if there is one."""
    return next((identity_id for identity_id, one in identities.items() if one.known_as == known_as), None)
