"""The notices: what happened, to whom it is told, and the plain form in which the outbox keeps it.

A new kind is a class here, its name in ``KINDS`` and a file ``templates/<kind>.txt``. No kind has a place for
a backup code or a secret.
"""

import re
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from twofactor_server.domain.mailed_links import Purpose


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One mail to one owner.

    ``time`` is the moment of the event, aware; ``ip_address`` and ``user_agent`` are the person's as the
    calling service saw them, "" if not known. They may hold anything: the mail shows what it recognises in
    them.
    """

    kind: ClassVar[str]
    """The wire name, header ``X-Twofactor-Kind``."""

    recipient: str = field(repr=False)
    time: datetime
    ip_address: str = ""
    user_agent: str = ""
    not_me_token: str = field(default="", repr=False)
    """Opens "this wasn't me"; "" where there is nothing to undo."""

    def __post_init__(self) -> None:
        if self.time.utcoffset() is None:
            raise ValueError("the time of a notice is aware")

    def payload(self) -> dict[str, Any]:
        """A dict that JSON can carry; ``notice_from`` turns it back. It holds codes and tokens of links: seal it."""
        return {"kind": self.kind} | {f.name: _plain(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True, kw_only=True)
class LinkNotice(Notice):
    """A mail whose point is its link, which works for ``purpose.lifetime`` after ``time``."""

    purpose: ClassVar[Purpose]
    action: ClassVar[str]
    """What the link's button says."""
    token: str = field(repr=False)

    @property
    def until(self) -> datetime:
        """From this moment the link is refused."""
        return self.time + self.purpose.lifetime


@dataclass(frozen=True, kw_only=True)
class SignInCode(Notice):
    """The 6-digit code of one challenge, refused ``lifetime`` after ``time``."""

    kind = "sign-in-code"
    code: str = field(repr=False)
    lifetime: timedelta

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch("[0-9]{6}", self.code):
            raise ValueError("an e-mail code is six digits")

    @property
    def until(self) -> datetime:
        """From this moment the code is refused, and the mail not worth sending."""
        return self.time + self.lifetime


@dataclass(frozen=True, kw_only=True)
class BackupCodeUsed(Notice):
    """A sign-in by backup code; the call repeated shows the new code until ``lifetime`` after ``time``."""

    kind = "backup-code-used"
    lifetime: timedelta

    @property
    def until(self) -> datetime:
        """From this moment the new code is not shown again."""
        return self.time + self.lifetime


@dataclass(frozen=True, kw_only=True)
class BackupCodeRegenerated(Notice):
    """The owner asked for a fresh backup code; the old one is dead."""

    kind = "backup-code-regenerated"


@dataclass(frozen=True, kw_only=True)
class AuthenticatorOn(Notice):
    """An authenticator was confirmed; ``replaced``: it took the place of another one (a new phone)."""

    kind = "authenticator-on"
    replaced: bool = False


@dataclass(frozen=True, kw_only=True)
class AuthenticatorOff(Notice):
    """The authenticator was removed, its backup code with it; sign-ins are mailed codes again."""

    kind = "authenticator-off"


@dataclass(frozen=True, kw_only=True)
class SecondFactorFailed(Notice):
    """Somebody passed the first factor and failed the second, ``failures`` times within a day by now."""

    kind = "second-factor-failed"
    failures: int


@dataclass(frozen=True, kw_only=True)
class SignInSuspended(LinkNotice):
    """Nobody can begin to sign in until the owner confirms by the link. ``failures``: how many wrong second factors
    led to it, 0 where the owner said that it was somebody else."""

    kind = "sign-in-suspended"
    purpose = Purpose.CONFIRM_SIGN_IN
    action = "Confirm and sign in again"
    failures: int = 0


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case timedelta():
            return value.total_seconds()
    return value
