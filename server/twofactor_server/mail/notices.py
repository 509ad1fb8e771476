"""The notices: one class for every kind of mail that the server sends.

To add a kind, add a class here, its name in ``registry.KINDS``, and a file ``templates/<kind>.txt``. No notice has a
field for a backup code or an authenticator secret.
"""

import re
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from twofactor_server.domain.mailed_links import LinkPurpose


@dataclass(frozen=True, kw_only=True)
class Notice:
    """One mail to one recipient.

    ``time`` is when the event happened, timezone-aware. ``ip_address`` and ``user_agent`` describe the client as the
    calling service reported it, "" if unknown. They are untrusted: the mail shows only what ``formatting`` recognises.
    """

    kind: ClassVar[str]
    """The name in the outbox and in the header ``X-Twofactor-Kind``."""

    recipient: str = field(repr=False)
    time: datetime
    ip_address: str = ""
    user_agent: str = ""
    undo_token: str = field(default="", repr=False)
    """The token of the "This wasn't me" link; "" if there is nothing to undo."""

    def __post_init__(self) -> None:
        if self.time.utcoffset() is None:
            raise ValueError("the time of a notice must be timezone-aware")

    def payload(self) -> dict[str, Any]:
        """A JSON-serialisable dict; ``registry.notice_from`` parses it. It contains codes and link tokens: seal it."""
        return {"kind": self.kind} | {f.name: _to_json(getattr(self, f.name)) for f in fields(self)}


@dataclass(frozen=True, kw_only=True)
class LinkNotice(Notice):
    """A mail with a link to follow, valid for ``purpose.lifetime`` after ``time``."""

    purpose: ClassVar[LinkPurpose]
    action: ClassVar[str]
    """The text of the link's button."""
    token: str = field(repr=False)

    @property
    def until(self) -> datetime:
        """When the link expires."""
        return self.time + self.purpose.lifetime


@dataclass(frozen=True, kw_only=True)
class SignInCode(Notice):
    """The 6-digit code of one challenge, valid for ``lifetime`` after ``time``."""

    kind = "sign-in-code"
    code: str = field(repr=False)
    lifetime: timedelta

    def __post_init__(self) -> None:
        super().__post_init__()
        if not re.fullmatch("[0-9]{6}", self.code):
            raise ValueError("an e-mail code must be six digits")

    @property
    def until(self) -> datetime:
        """When the code expires. After that the mail is not worth sending."""
        return self.time + self.lifetime


@dataclass(frozen=True, kw_only=True)
class BackupCodeUsed(Notice):
    """A sign-in with a backup code. A retry of the call shows the new code until ``lifetime`` after ``time``."""

    kind = "backup-code-used"
    lifetime: timedelta

    @property
    def until(self) -> datetime:
        """From then on the new code is not shown again."""
        return self.time + self.lifetime


@dataclass(frozen=True, kw_only=True)
class BackupCodeRegenerated(Notice):
    kind = "backup-code-regenerated"


@dataclass(frozen=True, kw_only=True)
class AuthenticatorOn(Notice):
    """An authenticator was confirmed. ``replaced``: there was one before (usually the user has a new phone)."""

    kind = "authenticator-on"
    replaced: bool = False


@dataclass(frozen=True, kw_only=True)
class AuthenticatorOff(Notice):
    """The authenticator and its backup code were removed; sign-ins use e-mail codes again."""

    kind = "authenticator-off"


@dataclass(frozen=True, kw_only=True)
class SecondFactorFailed(Notice):
    """``failures``: how often, within a day, the first factor succeeded and the second one failed."""

    kind = "second-factor-failed"
    failures: int


@dataclass(frozen=True, kw_only=True)
class SignInSuspended(LinkNotice):
    """Sign-in is suspended until the owner follows the link.

    ``failures``: the number of second-factor failures that caused it; 0 if the owner reported an intruder.
    """

    kind = "sign-in-suspended"
    purpose = LinkPurpose.UNLOCK
    action = "Confirm and sign in again"
    failures: int = 0


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Notice):
    """The password was set, changed or reset."""

    kind = "password-changed"


@dataclass(frozen=True, kw_only=True)
class PasswordReset(LinkNotice):
    kind = "password-reset"
    purpose = LinkPurpose.RESET_PASSWORD
    action = "Choose a new password"


@dataclass(frozen=True, kw_only=True)
class ConfirmEmail(LinkNotice):
    """To a new address, which becomes the account's address only when its owner follows the link."""

    kind = "email-change"
    purpose = LinkPurpose.CONFIRM_EMAIL
    action = "Use this address"


@dataclass(frozen=True, kw_only=True)
class EmailInUse(Notice):
    """To an address that was requested for an account but belongs to another one: nothing was changed."""

    kind = "email-in-use"


@dataclass(frozen=True, kw_only=True)
class EmailChanged(Notice):
    """``former``: this mail goes to the previous address; otherwise it goes to the new one."""

    kind = "email-changed"
    former: bool


@dataclass(frozen=True, kw_only=True)
class AccountClosed(Notice):
    kind = "account-closed"


@dataclass(frozen=True, kw_only=True)
class IdentityNotice(Notice):
    """A change of a linked identity. ``provider`` is its name in the settings.

    The mail shows nothing of the identity itself, because its e-mail address may be an attacker's text.
    """

    provider: str

    @property
    def label(self) -> str:
        """The provider's name with its usual capitals."""
        return {"google": "Google", "github": "GitHub"}.get(self.provider, self.provider)


@dataclass(frozen=True, kw_only=True)
class IdentityLinked(IdentityNotice):
    kind = "identity-linked"


@dataclass(frozen=True, kw_only=True)
class IdentityUnlinked(IdentityNotice):
    kind = "identity-unlinked"


def _to_json(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case timedelta():
            return value.total_seconds()
    return value
