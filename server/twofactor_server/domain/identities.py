"""Identities at providers such as Google and GitHub, and their links to accounts.

An identity is the pair of issuer and subject, never an address or a login name: those can be transferred.
"""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from twofactor_server.domain.refusals import CommittedRefusal, Reason, refuse_committed

GITHUB = "github"
"""The one provider that does not speak OpenID Connect."""


@dataclass(frozen=True, slots=True)
class ProviderCredential:
    """An authorization code from the provider's redirect, not exchanged yet. ``first_factor``: "oidc" or "github"."""

    first_factor: str
    provider: str
    authorization_code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """The result of the exchange. ``email`` is the address that the provider has verified; None if it named none or was
    not asked."""

    provider: str
    issuer: str
    subject: str
    email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """A row of ``identities``. ``email`` is the provider's address at the time of linking, for display; "" if none."""

    account_id: UUID
    identity_id: UUID
    provider: str
    issuer: str
    subject: str
    email: str
    link_time: datetime


def check_not_last(
    unlinked: LinkedIdentity, linked: list[LinkedIdentity], *, has_password: bool
) -> CommittedRefusal | None:
    """LAST_WAY_IN for the only identity of an account without a password."""
    others = [identity for identity in linked if identity.identity_id != unlinked.identity_id]
    return None if others or has_password else refuse_committed(Reason.LAST_WAY_IN)
