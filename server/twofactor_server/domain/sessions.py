"""Sessions: the result of a completed sign-in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from twofactor_server.domain import limits
from twofactor_server.domain.calls import Client
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof

_AUTHENTICATION_METHODS = {
    Proof.EMAIL_CODE: ("otp", "urn:twofactor:email"),
    Proof.AUTHENTICATOR: ("otp", "mfa"),
    Proof.BACKUP_CODE: ("otp", "urn:twofactor:backup", "mfa"),
}


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Overall and idle lifetime (NIST SP 800-63B §2.2.3: at most 24 h and 1 h), and those of a session that its owner
    asked to be remembered."""

    lifetime: timedelta = timedelta(hours=24)
    idle: timedelta = timedelta(hours=1)
    remembered_lifetime: timedelta = timedelta(days=7)
    remembered_idle: timedelta = timedelta(days=3)

    def lifetime_of(self, *, remembered: bool) -> timedelta:
        """How long a session lasts, even if it is used all the time."""
        return self.remembered_lifetime if remembered else self.lifetime

    def idle_of(self, *, remembered: bool) -> timedelta:
        """After how long without use a session ends."""
        return self.remembered_idle if remembered else self.idle


@dataclass(frozen=True, slots=True)
class Session:
    """A row of ``sessions``. ``proof`` is the strongest second factor passed in it, at ``proof_time``; ``remembered``
    chooses its limits."""

    account_id: UUID
    session_id: UUID
    email: str
    first_factor: str
    proof: Proof
    proof_time: datetime
    client: Client
    create_time: datetime
    expire_time: datetime
    last_active_time: datetime
    end_time: datetime | None
    remembered: bool = False

    @property
    def methods(self) -> tuple[str, ...]:
        """How the session was authenticated: RFC 8176 values and two of our own."""
        first = ("pwd",) if self.first_factor == "password" else ()
        return first + _AUTHENTICATION_METHODS[self.proof]

    def live(self, now: datetime, limits: SessionLimits) -> bool:
        """Whether it was not ended, has time left and was not idle too long."""
        idle_end = self.last_active_time + limits.idle_of(remembered=self.remembered)
        return self.end_time is None and now < min(self.expire_time, idle_end)

    def check_live(self, now: datetime, limits: SessionLimits) -> None:
        """Refuse a session that is not live."""
        if not self.live(now, limits):
            raise Refusal(Reason.SESSION_ENDED)

    def passed(self, method: Method) -> bool:
        """Whether the session passed the second factor that is active now, or a stronger one."""
        return method is Method.EMAIL or self.proof is not Proof.EMAIL_CODE

    def proved_recently(self, now: datetime) -> bool:
        """Whether its second factor was passed within ``MAX_PROOF_AGE``."""
        return now - self.proof_time <= limits.MAX_PROOF_AGE
