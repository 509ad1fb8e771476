"""First factors: what a sign-in starts with."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from twofactor_server.domain import limits
from twofactor_server.domain.identities import ProviderCredential


@dataclass(frozen=True, slots=True)
class Assertion:
    """A trusted caller's statement that it checked the account's first factor at ``auth_time``."""

    account_id: UUID
    auth_time: datetime

    def recent(self, now: datetime) -> bool:
        """Whether it is at most ``MAX_PROOF_AGE`` old and not in the future."""
        return now - limits.MAX_PROOF_AGE <= self.auth_time <= now + limits.CLOCK_TOLERANCE


@dataclass(frozen=True, slots=True)
class PasswordCredential:
    """A normalised address and password."""

    email: str
    password: str = field(repr=False)


FirstFactor = PasswordCredential | ProviderCredential | Assertion
