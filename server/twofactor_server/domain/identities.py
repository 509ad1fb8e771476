"""Identities at providers: what a sign-in with Google, GitHub or another brought, and what is linked to an account.

An identity is the pair of issuer and subject, never an address or a login name: those change hands.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from twofactor_server.domain.refusals import Reason, Refusal, invalid

GITHUB = "github"
"""The one provider that is not asked by OpenID Connect."""

# RFC 7636 §4.1.
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


@dataclass(frozen=True, slots=True)
class ProviderCredential:
    """An authorization code as it came from the provider's redirect, not exchanged yet.

    ``path`` is where it stood in the request, for refusals: ``oidc``, ``reauthentication.github``. ``first_factor`` is
    "oidc" or "github".
    """

    path: str
    first_factor: str
    provider: str
    authorization_code: str = field(repr=False)
    code_verifier: str = field(repr=False)
    nonce: str = field(repr=False)
    redirect_uri: str

    def check(self) -> None:
        """Refuse a credential with an empty or malformed field: INVALID_FIELD, with the path from the root."""
        for name in ("provider", "authorization_code", "code_verifier", "nonce", "redirect_uri"):
            if not getattr(self, name) and (name, self.first_factor) != ("nonce", GITHUB):
                raise invalid(f"{self.path}.{name}", "required")
        if not _VERIFIER.fullmatch(self.code_verifier):
            raise invalid(f"{self.path}.code_verifier", "43 to 128 letters, digits, or any of . _ ~ -")


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """What the provider said in exchange. ``email`` is the address that it has verified; None where it named none, or
    was not asked."""

    provider: str
    issuer: str
    subject: str
    email: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    """The row of ``identities``. ``email`` is what the provider told at that time: for showing, and "" if nothing."""

    account_id: UUID
    identity_id: UUID
    provider: str
    issuer: str
    subject: str
    email: str
    link_time: datetime


def check_not_last(unlinked: LinkedIdentity, linked: list[LinkedIdentity], *, has_password: bool) -> Refusal | None:
    """LAST_WAY_IN for the only identity of an account without a password."""
    others = [one for one in linked if one.identity_id != unlinked.identity_id]
    return None if others or has_password else Refusal(Reason.LAST_WAY_IN)
