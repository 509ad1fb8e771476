"""Re-authentication: what a session must prove again before it changes a factor."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from twofactor_server.domain.first_factors import Assertion
from twofactor_server.domain.refusals import Reason, Refusal


@dataclass(frozen=True, slots=True)
class Reauthentication:
    """What was given: a password or an assertion; ``authenticator_code`` where a second factor of now is asked too."""

    password: str | None = field(default=None, repr=False)
    asserted: Assertion | None = None
    authenticator_code: str | None = field(default=None, repr=False)

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
