"""Sessions: what a completed sign-in results in."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from twofactor_server.domain.calls import Client
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof

REAUTHENTICATION_ATTEMPTS = 5
"""Distinct wrong re-authentications that end the session."""

FRESH = timedelta(minutes=10)
"""How old a second factor, or an asserted first factor, may be to count as one of now."""

_AUTHENTICATION_METHODS = {
    Proof.EMAIL_CODE: ("otp", "urn:twofactor:email"),
    Proof.AUTHENTICATOR: ("otp", "mfa"),
    Proof.BACKUP_CODE: ("otp", "urn:twofactor:backup", "mfa"),
}


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """Overall and idle life (NIST SP 800-63B §2.2.3: at most 24 h and 1 h), and those of a browser that its owner
    asked to be remembered on."""

    lifetime: timedelta = timedelta(hours=24)
    idle: timedelta = timedelta(hours=1)
    remembered_lifetime: timedelta = timedelta(days=7)
    remembered_idle: timedelta = timedelta(days=3)

    def lifetime_of(self, *, remembered: bool) -> timedelta:
        """How long a session lasts, however active it is."""
        return self.remembered_lifetime if remembered else self.lifetime

    def idle_of(self, *, remembered: bool) -> timedelta:
        """After how long without use a session has ended."""
        return self.remembered_idle if remembered else self.idle


@dataclass(frozen=True, slots=True)
class Session:
    """The row of ``sessions``. ``proof`` is the strongest second factor passed in it, at ``proof_time``; ``remembered``
    says which limits are its own."""

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
        """What proved the session, as RFC 8176 values and two of our own."""
        first = ("pwd",) if self.first_factor == "password" else ()
        return first + _AUTHENTICATION_METHODS[self.proof]

    def live(self, now: datetime, limits: SessionLimits) -> bool:
        """Whether it was not ended, is not over, and was not idle too long."""
        idle_end = self.last_active_time + limits.idle_of(remembered=self.remembered)
        return self.end_time is None and now < min(self.expire_time, idle_end)

    def check_live(self, now: datetime, limits: SessionLimits) -> None:
        """Refuse a session that is not live."""
        if not self.live(now, limits):
            raise Refusal(Reason.SESSION_ENDED)

    def passed(self, method: Method) -> bool:
        """Whether the session passed the second factor that is active now; a stronger one counts."""
        return method is Method.EMAIL or self.proof is not Proof.EMAIL_CODE

    def fresh(self, now: datetime) -> bool:
        """Whether its second factor was passed at most 10 minutes ago."""
        return now - self.proof_time <= FRESH
