"""What a caller can see of an answer, in a form in which an expected and a real one can be compared."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Refused:
    """A refusal: its reason, and those details that its reason carries."""

    reason: str
    attempts_left: int | None = None
    used_at: datetime | None = None
    retry_after: timedelta | None = None
    active_method: str | None = None
    field: str | None = None


class Refusal(Exception):
    """A call that is refused and leaves nothing behind."""

    def __init__(self, reason: str, *, retry_after: timedelta | None = None, field: str | None = None) -> None:
        super().__init__(reason)
        self.answer = Refused(reason, retry_after=retry_after, field=field)


@dataclass(frozen=True)
class Done:
    """An answer that says nothing but yes."""


@dataclass(frozen=True)
class AccountSeen:
    """CreateAccount and GetAccount."""

    account_id: str
    email: str
    verified: bool
    has_password: bool
    providers: tuple[str, ...] = ()


@dataclass(frozen=True)
class IdentitySeen:
    """LinkIdentity, and each of ListIdentities."""

    identity_id: str
    provider: str
    email: str
    linked: datetime


@dataclass(frozen=True)
class IdentitiesSeen:
    """ListIdentities."""

    identities: tuple[IdentitySeen, ...]


@dataclass(frozen=True)
class ChallengeSeen:
    """A challenge as it is shown. ``waits``: the methods that must wait, and until when."""

    second_factor: str
    backup_code_accepted: bool
    attempts_left: int
    waits: tuple[tuple[str, datetime], ...]
    authenticator_disabled: bool
    code_expires: datetime | None
    next_send: datetime | None
    expires: datetime
    state: str


@dataclass(frozen=True)
class Started:
    """StartSignIn."""

    token: str
    challenge: ChallengeSeen


@dataclass(frozen=True)
class SessionSeen:
    """A session as it is shown."""

    session_id: str
    account_id: str
    email: str
    created: datetime
    expires: datetime
    last_active: datetime
    methods: tuple[str, ...]
    ip: str


@dataclass(frozen=True)
class SessionsSeen:
    """ListSessions."""

    sessions: tuple[SessionSeen, ...]
    current: str


@dataclass(frozen=True)
class SignedIn:
    """A completed sign-in; ``code`` and ``generation`` of the new backup code, where there is one."""

    token: str
    session: SessionSeen
    code: str = ""
    generation: int = 0
    replayed: bool = False


@dataclass(frozen=True)
class Shown:
    """A backup code that was made for a signed-in owner."""

    code: str
    generation: int
    replayed: bool = False


@dataclass(frozen=True)
class SetupStarted:
    """StartAuthenticatorSetup."""

    setup_id: str
    secret: str
    expires: datetime


@dataclass(frozen=True)
class StatusSeen:
    """GetTwoFactor. What the active method lacks is None, 0 or False."""

    method: str
    waits: tuple[tuple[str, datetime], ...] = ()
    enabled: datetime | None = None
    disabled: bool = False
    generation: int = 0
    created: datetime | None = None
    saved: datetime | None = None
    must_regenerate: bool = False


Answer = (
    Refused
    | Done
    | AccountSeen
    | IdentitySeen
    | IdentitiesSeen
    | ChallengeSeen
    | Started
    | SessionSeen
    | SessionsSeen
    | SignedIn
    | Shown
    | SetupStarted
    | StatusSeen
)
