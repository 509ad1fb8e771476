"""Re-authentication: what a session must prove again before it changes a factor."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from twofactor_server.domain.accounts import normalise_password
from twofactor_server.domain.email_codes import normalise as normalise_code
from twofactor_server.domain.first_factors import Assertion
from twofactor_server.domain.identities import ProviderCredential
from twofactor_server.domain.refusals import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Reauthentication:
    """What was given, as it was typed: a password, a provider's sign-in or an assertion; ``authenticator_code`` where a
    second factor of now is asked too. It is looked at only where it is needed: a call that was answered before is
    answered again without it."""

    password: str | None = field(default=None, repr=False)
    asserted: Assertion | None = None
    provider: ProviderCredential | None = None
    authenticator_code: str | None = field(default=None, repr=False)

    def normalised(self) -> "Reauthentication":
        """The same in normal form. Malformed: INVALID_FIELD."""
        password, code = self.password, self.authenticator_code
        if password is not None:
            password = normalise_password(password, "reauthentication.password")
        if code is not None:
            code = normalise_code(code, "reauthentication.authenticator_code")
        return Reauthentication(password, self.asserted, self.provider, code)

    def check_assertion(self, account_id: UUID, now: datetime, *, may_assert: bool) -> None:
        """Refuse an assertion of a caller without that role, for another account, or too old."""
        if self.asserted is None:
            return
        if not may_assert:
            raise Refusal(Reason.CALLER_NOT_ALLOWED)
        if self.asserted.account_id != account_id:
            raise Refusal(Reason.REAUTHENTICATION_FAILED)
        if not self.asserted.recent(now):
            raise Refusal(Reason.REAUTHENTICATION_REQUIRED)
