"""First factors: what a sign-in begins with."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from twofactor_server.domain.identities import ProviderCredential
from twofactor_server.domain.sessions import FRESH

CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far another machine's clock may run ahead of ours."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A trusted caller's word that it checked the account's first factor at ``auth_time``."""

    account_id: UUID
    auth_time: datetime

    def recent(self, now: datetime) -> bool:
        """At most 10 minutes old, and not in the future."""
        return now - FRESH <= self.auth_time <= now + CLOCK_TOLERANCE


@dataclass(frozen=True, slots=True)
class PasswordCredential:
    """An address and a password, as they were typed."""

    email: str
    password: str = field(repr=False)


FirstFactor = PasswordCredential | ProviderCredential | Assertion
