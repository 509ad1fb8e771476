"""What people ask of the servers, and what they are answered."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from model.rows import Code


@dataclass(frozen=True, slots=True)
class Use:
    """UseBackupCode on a challenge. ``request``: the request_id; None: no replay wanted. ``held``: not typed before
    the owner holds the code."""

    challenge: int
    code: Code
    request: str | None
    held: bool = False


@dataclass(frozen=True, slots=True)
class VerifyApp:
    """VerifyAuthenticatorCode: the app's code of now, typed right."""

    challenge: int
    request: str | None


@dataclass(frozen=True, slots=True)
class StartSignIn:
    """StartSignIn with the password that was right at first; ``challenge``: the number of what comes of it."""

    challenge: int


@dataclass(frozen=True, slots=True)
class StartByIdentity:
    """StartSignIn with a linked identity; ``challenge``: the number of what comes of it."""

    challenge: int
    identity: int


@dataclass(frozen=True, slots=True)
class Regenerate:
    """RegenerateBackupCode from a signed-in session."""

    session: int
    request: str | None


@dataclass(frozen=True, slots=True)
class Remove:
    """RemoveAuthenticator."""

    session: int


@dataclass(frozen=True, slots=True)
class StartSetup:
    """StartAuthenticatorSetup; ``setup``: the number of what comes of it."""

    session: int
    setup: int


@dataclass(frozen=True, slots=True)
class ConfirmSetup:
    """ConfirmAuthenticatorSetup with the new app's code, typed right."""

    session: int
    setup: int
    request: str | None


@dataclass(frozen=True, slots=True)
class Saved:
    """ConfirmBackupCodeSaved."""

    session: int
    generation: int


@dataclass(frozen=True, slots=True)
class SignOut:
    """SignOut."""

    session: int


@dataclass(frozen=True, slots=True)
class Revoke:
    """RevokeSession: one session ends another."""

    session: int
    other: int


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """ChangePassword: open challenges are void, other sessions end."""

    session: int
    request: str | None


@dataclass(frozen=True, slots=True)
class SetPassword:
    """SetPassword, for an account that has none; ``by``: the identity that proves its owner."""

    session: int
    by: int
    request: str | None


@dataclass(frozen=True, slots=True)
class Unlink:
    """UnlinkIdentity, proved by that very identity."""

    session: int
    identity: int


@dataclass(frozen=True, slots=True)
class ConfirmEmail:
    """ConfirmEmailChange, by a mailed link."""

    link: int


@dataclass(frozen=True, slots=True)
class Report:
    """ReportNotMe, by the link of the notice that told of this generation's code."""

    link: int
    generation: int


@dataclass(frozen=True, slots=True)
class Close:
    """CloseAccount, from a signed-in session."""

    session: int


@dataclass(frozen=True, slots=True)
class TenMinutesPass:
    """Not a call: every challenge that was started has run out of time."""


@dataclass(frozen=True, slots=True)
class AppMovesOn:
    """Not a call: the app shows other digits now; those typed for a setup are no longer accepted."""


Intent = (
    Use
    | VerifyApp
    | StartSignIn
    | StartByIdentity
    | Regenerate
    | Remove
    | StartSetup
    | ConfirmSetup
    | Saved
    | SignOut
    | Revoke
    | ChangePassword
    | SetPassword
    | Unlink
    | ConfirmEmail
    | Report
    | Close
    | TenMinutesPass
    | AppMovesOn
)

OK = "OK"
INTERNAL = "INTERNAL"


class Outcome(NamedTuple):
    """An answer. ``session``: the one it opens or shows again; ``code``: the new backup code in it."""

    reason: str
    code: Code | None = None
    generation: int = 0
    session: int | None = None
    replayed: bool = False
    alarm: bool = False


class Next(NamedTuple):
    """Not answered yet: the next step, and what it has to know."""

    phase: str
    facts: tuple[Any, ...] = ()


Result = Outcome | Next
