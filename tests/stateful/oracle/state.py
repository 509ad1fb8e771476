"""All that is true of one account. Nothing here ever changes: an event makes another state, so that every order of
events can be tried on the same one."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tests.stateful.oracle.answers import Done, IdentitySeen, SessionSeen, Shown, SignedIn
from tests.stateful.oracle.linking import Identity

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
WEEK = 7 * DAY


class Method(StrEnum):
    """The active second factor."""

    EMAIL = "EMAIL_CODE"
    APP = "AUTHENTICATOR"


class ProvenBy(StrEnum):
    """What proved a second factor."""

    EMAIL_CODE = "EMAIL_CODE"
    APP = "AUTHENTICATOR"
    BACKUP_CODE = "BACKUP_CODE"


class Verdict(StrEnum):
    """What became of a backup code on a challenge."""

    PENDING = "pending"
    WRONG = "wrong"
    USED = "used"
    RIGHT = "right"


@dataclass(frozen=True)
class Failures:
    """Consecutive failures of a method, and the moment until which no attempt is admitted."""

    count: int = 0
    until: datetime | None = None

    def again(self, now: datetime) -> "Failures":
        """One more: the first four bring no wait, the fifth 30 s, each further one twice as much, an hour at most."""
        count = self.count + 1
        if count < 5:
            return Failures(count)
        return Failures(count, now + min(timedelta(seconds=30) * 2 ** (count - 5), HOUR))

    def left(self, now: datetime) -> timedelta | None:
        """How long the wait in force still lasts."""
        return self.until - now if self.until is not None and self.until > now else None


@dataclass(frozen=True)
class Factor:
    """The second factor. ``code`` is the current backup code's 16 symbols, ``spent`` the used ones by generation."""

    method: Method = Method.EMAIL
    generation: int = 0
    code: str = ""
    code_created: datetime | None = None
    saved: datetime | None = None
    spent: Mapping[int, tuple[str, datetime]] = field(default_factory=dict)
    secret: str = ""
    last_step: int = 0
    enabled: datetime | None = None
    disabled: bool = False
    email_failures: Failures = Failures()
    app_failures: Failures = Failures()


@dataclass(frozen=True)
class MailedCode:
    """One e-mail code. It is known by the address it was asked from, which its mail repeats."""

    ip: str
    created: datetime
    request_id: str


@dataclass(frozen=True)
class Guess:
    """A backup code tried on a challenge."""

    verdict: Verdict
    ip: str
    time: datetime
    judged_again: int = 0


@dataclass(frozen=True)
class Challenge:
    """A challenge. ``begun_by``: "password", "asserted", "oidc" or "github"; ``codes``: its e-mail codes, oldest first;
    ``guesses``: the backup codes tried on it."""

    created: datetime
    begun_by: str
    remember_me: bool = False
    attempts: int = 0
    completed: bool = False
    voided: bool = False
    codes: tuple[MailedCode, ...] = ()
    guesses: Mapping[str, Guess] = field(default_factory=dict)

    @property
    def expires(self) -> datetime:
        """Ten minutes, whatever happens."""
        return self.created + 10 * MINUTE

    @property
    def attempts_left(self) -> int:
        """Of five."""
        return 5 - self.attempts

    def over(self, now: datetime) -> bool:
        """Out of time, or voided by a change of the account."""
        return self.voided or now >= self.expires

    def state(self, now: datetime) -> str:
        """The contract's ChallengeState."""
        if self.completed:
            return "COMPLETED"
        if self.over(now):
            return "EXPIRED"
        return "OPEN" if self.attempts_left else "EXHAUSTED"


@dataclass(frozen=True)
class Session:
    """A session. ``proofs``: the re-authentications charged in it, and whether they are known to be wrong."""

    session_id: str
    begun_by: str
    proven_by: ProvenBy
    proven: datetime
    created: datetime
    last_active: datetime
    ip: str
    remembered: bool = False
    ended: bool = False
    proofs: Mapping[str, bool] = field(default_factory=dict)

    def live(self, now: datetime) -> bool:
        """24 hours overall, one hour idle; remembered, 7 days and 3."""
        idle = 3 * DAY if self.remembered else HOUR
        return not self.ended and now < min(self.expires, self.last_active + idle)

    @property
    def expires(self) -> datetime:
        """The end of it, however active it is."""
        return self.created + (WEEK if self.remembered else DAY)

    def seen(self, account: "Account") -> SessionSeen:
        """As it is shown."""
        methods = {
            ProvenBy.EMAIL_CODE: ("otp", "urn:twofactor:email"),
            ProvenBy.APP: ("otp", "mfa"),
            ProvenBy.BACKUP_CODE: ("otp", "urn:twofactor:backup", "mfa"),
        }[self.proven_by]
        return SessionSeen(
            session_id=self.session_id,
            account_id=account.account_id,
            email=account.email,
            created=self.created,
            expires=self.expires,
            last_active=self.last_active,
            methods=("pwd", *methods) if self.begun_by == "password" else methods,
            ip=self.ip,
        )


@dataclass(frozen=True)
class Setup:
    """An authenticator setup that waits for its first code."""

    session: str
    secret: str
    created: datetime
    attempts: int = 0
    ended: bool = False

    def over(self, now: datetime) -> bool:
        """Confirmed, cancelled, superseded, out of time or out of attempts."""
        return self.ended or now >= self.created + 10 * MINUTE or self.attempts == 5


@dataclass(frozen=True)
class Reply:
    """The answer that a logical call was given. ``session``: whose end erases it; ``generation``: what it shows."""

    content: tuple[str, ...]
    answer: SignedIn | Shown | IdentitySeen | Done
    session: str
    generation: int | None
    until: datetime
    erased: bool = False


@dataclass(frozen=True)
class Link:
    """The link that lifts a suspension. ``used``: the password it was used for, None while it was not."""

    created: datetime
    used: str | None = None


@dataclass(frozen=True)
class Account:
    """One account. ``replies`` are kept by scope (a challenge or a session) and request_id; ``shown`` are the backup
    codes as their owner was shown them, oldest first; ``failures`` are the moments of wrong second factors,
    ``sign_ins`` wrong passwords by network, ``links`` those that lift a suspension, oldest first; ``exchanged`` are
    the codes that its owner brought from providers to link, and that are taken; ``audit`` and ``mails`` count what was
    written down and sent."""

    email: str
    account_id: str
    password: str
    created_by: str
    verified: bool = False
    password_version: int = 1
    identities: Mapping[str, Identity] = field(default_factory=dict)
    exchanged: frozenset[str] = frozenset()
    factor: Factor = field(default_factory=Factor)
    challenges: Mapping[str, Challenge] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)
    setups: Mapping[str, Setup] = field(default_factory=dict)
    replies: Mapping[tuple[str, str], Reply] = field(default_factory=dict)
    shown: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    failures: tuple[datetime, ...] = ()
    suspended: bool = False
    links: tuple[Link, ...] = ()
    sign_ins: Mapping[str, Failures] = field(default_factory=dict)
    audit: Mapping[tuple[str, str], int] = field(default_factory=dict)
    mails: Mapping[str, int] = field(default_factory=dict)

    def audited(self, action: str, outcome: str = "success") -> "Account":
        """With one audit row more."""
        return replace(self, audit=_counted(self.audit, (action, outcome)))

    def mailed(self, kind: str) -> "Account":
        """With one mail more."""
        return replace(self, mails=_counted(self.mails, kind))

    def with_factor(self, **changes: Any) -> "Account":
        """With another second factor."""
        return replace(self, factor=replace(self.factor, **changes))

    def with_challenge(self, token: str, **changes: Any) -> "Account":
        """With this challenge changed."""
        return replace(self, challenges={**self.challenges, token: replace(self.challenges[token], **changes)})

    def with_session(self, token: str, **changes: Any) -> "Account":
        """With this session changed."""
        return replace(self, sessions={**self.sessions, token: replace(self.sessions[token], **changes)})

    def with_setup(self, setup_id: str, **changes: Any) -> "Account":
        """With this setup changed."""
        return replace(self, setups={**self.setups, setup_id: replace(self.setups[setup_id], **changes)})

    def with_guess(self, challenge: str, code: str, guess: Guess) -> "Account":
        """With this backup code tried on this challenge."""
        return self.with_challenge(challenge, guesses={**self.challenges[challenge].guesses, code: guess})


def _counted(counts: Mapping[Any, int], what: Any) -> dict[Any, int]:
    return {**counts, what: counts.get(what, 0) + 1}
