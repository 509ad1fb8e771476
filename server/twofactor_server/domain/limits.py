"""Every budget, wait, counter and lifetime of the product, and the one function that decides budgets.

A budget is a sliding window: at most ``count`` events within any ``span``. A backoff is a growing wait after failures
in a row. A count without a span belongs to one record (a challenge, a setup, a session) and is final when it is spent.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Budget:
    """At most ``count`` events within any ``span``."""

    count: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Backoff:
    """The first ``free`` failures in a row bring no wait; the next one brings ``first``, and each further one doubles
    it, up to ``longest`` (NIST SP 800-63B §3.2.2)."""

    free: int
    first: timedelta
    longest: timedelta

    def wait_after(self, failures: int) -> timedelta | None:
        """The wait that the latest of ``failures`` consecutive failures brings; None for none."""
        if failures <= self.free:
            return None
        # Bounded before it is doubled: the count of failures has no bound.
        doublings = min(failures - self.free - 1, 32)
        return min(self.first * (1 << doublings), self.longest)


_HOUR = timedelta(hours=1)

# --- One challenge, one setup, one session ------------------------------------------------------------------------

CHALLENGE_LIFETIME = timedelta(minutes=10)
ATTEMPTS_PER_CHALLENGE = 5
"""All methods together; then the challenge is void."""

SETUP_LIFETIME = timedelta(minutes=10)
ATTEMPTS_PER_SETUP = 5

REAUTHENTICATION_ATTEMPTS = 5
"""Distinct wrong re-authentications that end the session."""

MAX_PROOF_AGE = timedelta(minutes=10)
"""How old a second factor, or an asserted first factor, may be to count as proved now."""

CLOCK_TOLERANCE = timedelta(seconds=2)
"""How far the clock of another machine may run ahead of ours."""

# --- Authenticator codes and e-mail codes --------------------------------------------------------------------------

CODE_BACKOFF = Backoff(free=4, first=timedelta(seconds=30), longest=_HOUR)
"""Per account and method, and per e-mail address and network for the first factor."""

AUTHENTICATOR_DISABLED_AFTER = 100
"""Consecutive failures; the authenticator must then be set up again (NIST SP 800-63B §3.2.2)."""

EMAIL_CODE_LIFETIME = timedelta(minutes=5)
"""Half of what NIST SP 800-63B §3.1.3.2 allows."""

EMAIL_CODES_PER_CHALLENGE = 3
EMAIL_CODES_PER_ACCOUNT = Budget(10, _HOUR)
EMAIL_CODES_PER_NETWORK = Budget(5, _HOUR)
"""Of one account's e-mails, those requested from one network prefix."""

# --- Backup codes --------------------------------------------------------------------------------------------------

BACKUP_CODES_PER_ACCOUNT = Budget(80, _HOUR)
"""Distinct codes that are wrong or not verified yet. 80 random bits need no growing wait."""

BACKUP_CODES_PER_NETWORK = Budget(30, _HOUR)
MAX_REVERIFICATIONS = 20
"""How often one code on one challenge is verified again, free of charge, after a crash left it without a verdict."""

IN_FLIGHT_GRACE = timedelta(minutes=1)
"""How long after its challenge expired a charged attempt may be repeated. Longer than any call lives, so that no retry
is refused whose first try may still succeed."""

REPLY_LIFETIME = timedelta(hours=24)
"""How long a repeated call is given the same answer."""

# --- First factors -------------------------------------------------------------------------------------------------

FIRST_FACTOR_FAILURES = Budget(100, _HOUR)
"""Failures for one e-mail address, from all networks together (OWASP ASVS 4.0, 2.2.1)."""

KNOWN_NETWORK_LIFETIME = timedelta(days=30)
"""How long after a session was last active in a network the network counts as the owner's."""

SECOND_FACTOR_FAILURES = Budget(20, timedelta(hours=24))
"""Right first factor, wrong second factor: the 20th failure suspends the first factor. Successes in between do not
reset the count: they only show that the owner signed in, too."""

SECOND_FACTOR_FAILURES_MAILED_FROM = 5

# --- Mailed links --------------------------------------------------------------------------------------------------

PASSWORD_RESET_LINKS = Budget(3, _HOUR)
EMAIL_CHANGE_LINKS = Budget(3, _HOUR)
PASSWORD_RESET_LINK_LIFETIME = timedelta(hours=1)
EMAIL_CHANGE_LINK_LIFETIME = timedelta(hours=24)
UNDO_LINK_LIFETIME = timedelta(days=7)
UNLOCK_LINK_LIFETIME = timedelta(days=7)


def next_allowed(now: datetime, *budgets: tuple[Budget, Sequence[datetime]]) -> datetime:
    """When all budgets allow one more event: ``now``, or the later moment at which the fullest one has room again.

    Each budget comes with the times of its past events, oldest first; those older than its span do not matter.
    """
    allowed = now
    for budget, times in budgets:
        if len(times) >= budget.count:
            allowed = max(allowed, times[-budget.count] + budget.span)
    return allowed
