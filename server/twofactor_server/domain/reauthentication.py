"""Re-authentication: what a session must prove again before it changes a factor."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from twofactor_server.domain.first_factors import Assertion
from twofactor_server.domain.identities import ProviderCredential
from twofactor_server.domain.refusals import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Reauthentication:
    """A normalised password, a provider's sign-in or an assertion, and an authenticator code where a second factor is
    required as well. All are None if the request has none.

    ``malformed`` is the refusal of a malformed one, in methods whose repeated call is answered without it.
    """

    password: str | None = field(default=None, repr=False)
    asserted: Assertion | None = None
    provider: ProviderCredential | None = None
    authenticator_code: str | None = field(default=None, repr=False)
    malformed: Refusal | None = None

    def check_well_formed(self) -> None:
        """Raise the refusal of a malformed re-authentication."""
        if self.malformed is not None:
            raise self.malformed

    @property
    def has_first_factor(self) -> bool:
        """Whether there is a first factor to verify."""
        return self.password is not None or self.asserted is not None or self.provider is not None

    @property
    def first_factor(self) -> str:
        """Its name in the audit log."""
        if self.provider is not None:
            return self.provider.first_factor
        return "asserted" if self.asserted is not None else "password"

    def check_assertion(self, account_id: UUID, now: datetime, *, may_assert: bool) -> None:
        """Refuse an assertion by a caller without that role, for another account, or too old."""
        if self.asserted is None:
            return
        if not may_assert:
            raise Refusal(Reason.CALLER_NOT_ALLOWED)
        if self.asserted.account_id != account_id:
            raise Refusal(Reason.REAUTHENTICATION_FAILED)
        if not self.asserted.recent(now):
            raise Refusal(Reason.REAUTHENTICATION_REQUIRED)
