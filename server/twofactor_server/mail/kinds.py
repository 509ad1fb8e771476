"""Every kind of notice by its wire name, and the way back from the plain form in which the outbox keeps one."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from twofactor_server.mail.account_notices import (
    AccountClosed,
    ConfirmEmail,
    EmailChanged,
    EmailInUse,
    IdentityLinked,
    IdentityUnlinked,
    PasswordChanged,
    PasswordReset,
)
from twofactor_server.mail.notices import (
    AuthenticatorOff,
    AuthenticatorOn,
    BackupCodeRegenerated,
    BackupCodeUsed,
    Notice,
    SecondFactorFailed,
    SignInCode,
    SignInSuspended,
)

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
