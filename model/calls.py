"""What a client's script consists of: calls of the contract, named as there, and passing time; and their answers.

Every call is sent with correct credentials. ``request`` is the request_id; None asks for no replay. ``session``,
``challenge``, ``setup``, ``identity`` and ``link`` are numbers of rows; a call that creates the row names it as well.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

from model.database import Steps
from model.rows import Code


class Action:
    """One entry of a script. Prints as ``UseBackupCode(challenge 1, code 1, request r)``."""

    __slots__ = ()

    def __str__(self) -> str:
        values = [(each.name, getattr(self, each.name)) for each in fields(self) if each.repr]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{name} {value}' for name, value in values if value is not None)})"


@dataclass(frozen=True, slots=True)
class UseBackupCode(Action):
    """``once_held``: not sent before the owner holds the code."""

    challenge: int
    code: Code
    request: str | None
    once_held: bool = field(default=False, repr=False)


@dataclass(frozen=True, slots=True)
class VerifyAuthenticatorCode(Action):
    """The code of the app's current time step."""

    challenge: int
    request: str | None


@dataclass(frozen=True, slots=True)
class StartSignIn(Action):
    """With the password."""

    challenge: int


@dataclass(frozen=True, slots=True)
class StartSignInByIdentity(Action):
    """StartSignIn with a provider's sign-in."""

    challenge: int
    identity: int


@dataclass(frozen=True, slots=True)
class RegenerateBackupCode(Action):
    session: int
    request: str | None


@dataclass(frozen=True, slots=True)
class RemoveAuthenticator(Action):
    session: int


@dataclass(frozen=True, slots=True)
class StartAuthenticatorSetup(Action):
    session: int
    setup: int


@dataclass(frozen=True, slots=True)
class ConfirmAuthenticatorSetup(Action):
    """With the new app's current code."""

    session: int
    setup: int
    request: str | None


@dataclass(frozen=True, slots=True)
class ConfirmBackupCodeSaved(Action):
    session: int
    generation: int


@dataclass(frozen=True, slots=True)
class SignOut(Action):
    session: int


@dataclass(frozen=True, slots=True)
class RevokeSession(Action):
    """``session`` ends ``other``."""

    session: int
    other: int


@dataclass(frozen=True, slots=True)
class ChangePassword(Action):
    session: int
    request: str | None


@dataclass(frozen=True, slots=True)
class SetPassword(Action):
    """For an account without a password; re-authenticated with ``identity``."""

    session: int
    identity: int
    request: str | None


@dataclass(frozen=True, slots=True)
class UnlinkIdentity(Action):
    """Re-authenticated with the identity itself."""

    session: int
    identity: int


@dataclass(frozen=True, slots=True)
class ConfirmEmailChange(Action):
    link: int


@dataclass(frozen=True, slots=True)
class ReportNotMe(Action):
    """With the link of the notice about the code of ``generation``."""

    link: int
    generation: int


@dataclass(frozen=True, slots=True)
class CloseAccount(Action):
    session: int


@dataclass(frozen=True, slots=True)
class ChallengesExpire(Action):
    """Not a call: ten minutes pass."""


@dataclass(frozen=True, slots=True)
class TotpCodeExpires(Action):
    """Not a call: the app shows the next code; the one typed for a setup is no longer accepted."""


OK = "OK"
INTERNAL = "INTERNAL"


class Outcome(NamedTuple):
    """An answer. ``session``: the one it opens or replays; ``code``: the new backup code."""

    reason: str
    code: Code | None = None
    generation: int = 0
    session: int | None = None
    replayed: bool = False
    alarm: bool = False

    def __str__(self) -> str:
        parts = [self.reason]
        if self.session is not None:
            parts.append(f"session {self.session}")
        if self.code is not None:
            parts.append(f"new code {self.code}")
        if self.replayed:
            parts.append("replayed")
        return ", ".join(parts)


class Next(NamedTuple):
    """No answer yet: the next transaction, and the values it receives."""

    transaction: str
    facts: tuple[Any, ...] = ()


Result = Outcome | Next

Transaction = Callable[..., Steps[Result]]
"""Takes the context, the call, and the facts that the transaction before it passes on."""
