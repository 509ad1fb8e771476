"""The notices: what happened, to whom it is told, and the plain form in which the outbox keeps it.

A new kind is a class here, its name in ``KINDS`` and a file ``templates/<kind>.txt``. No kind has a place for
a backup code or a secret.
"""

import re
from collections.abc import Mapping
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
class PasswordChanged(Notice):
    """The password was set, changed or reset."""

    kind = "password-changed"


@dataclass(frozen=True, kw_only=True)
class PasswordReset(LinkNotice):
    """Somebody asked for the link by which to choose a new password."""

    kind = "password-reset"
    purpose = Purpose.RESET_PASSWORD
    action = "Choose a new password"


@dataclass(frozen=True, kw_only=True)
class SecondFactorFailed(Notice):
    """Somebody passed the first factor and failed the second, ``failures`` times within a day by now."""

    kind = "second-factor-failed"
    failures: int


@dataclass(frozen=True, kw_only=True)
class ConfirmEmail(LinkNotice):
    """To a new address: it becomes the account's by this link, and by nothing else."""

    kind = "email-change"
    purpose = Purpose.CONFIRM_EMAIL
    action = "Use this address"


@dataclass(frozen=True, kw_only=True)
class EmailInUse(Notice):
    """Somebody wanted this address for an account, and it is another one's: nothing was changed."""

    kind = "email-in-use"


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Notice):
    """The account's address is another one; ``former``: told to the one before, else to the new one."""

    kind = "email-changed"
    former: bool


@dataclass(frozen=True, kw_only=True)
class AccountClosed(Notice):
    """The account is closed for good."""

    kind = "account-closed"


@dataclass(frozen=True, kw_only=True)
class SignInSuspended(LinkNotice):
    """Nobody can begin to sign in until the owner confirms by the link. ``failures``: how many wrong second factors
    led to it, 0 where the owner said that it was somebody else."""

    kind = "sign-in-suspended"
    purpose = Purpose.CONFIRM_SIGN_IN
    action = "Confirm and sign in again"
    failures: int = 0


@dataclass(frozen=True, kw_only=True)
class OfProvider(Notice):
    """A change of a linked identity at ``provider``, a name of the server's settings. Of the identity itself nothing
    is said: its address may be a stranger's text."""

    provider: str

    @property
    def label(self) -> str:
        """The provider as people write it."""
        return {"google": "Google", "github": "GitHub"}.get(self.provider, self.provider)


@dataclass(frozen=True, kw_only=True)
class IdentityLinked(OfProvider):
    """One more way to pass the first step."""

    kind = "identity-linked"


@dataclass(frozen=True, kw_only=True)
class IdentityUnlinked(OfProvider):
    """One way less."""

    kind = "identity-unlinked"


KINDS: Mapping[str, type[Notice]] = {
    notice.kind: notice
    for notice in (
        SignInCode,
        BackupCodeUsed,
        BackupCodeRegenerated,
        AuthenticatorOn,
        AuthenticatorOff,
        PasswordChanged,
        PasswordReset,
        SecondFactorFailed,
        ConfirmEmail,
        EmailInUse,
        EmailChanged,
        AccountClosed,
        SignInSuspended,
        IdentityLinked,
        IdentityUnlinked,
    )
}


def notice_from(payload: Mapping[str, Any]) -> Notice:
    """The notice that gave this payload.

    Fields that this release does not know are passed over: it can deliver what a newer one wrote. Raises
    ValueError for a kind that it does not know.
    """
    notice = KINDS.get(payload["kind"])
    if notice is None:
        raise ValueError(f"no notice is called {payload['kind']!r}")
    values = {f.name: payload[f.name] for f in fields(notice) if f.name in payload}
    values["time"] = datetime.fromisoformat(values["time"])
    if "lifetime" in values:
        values["lifetime"] = timedelta(seconds=values["lifetime"])
    return notice(**values)


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case timedelta():
            return value.total_seconds()
    return value
