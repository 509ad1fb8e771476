"""Every kind of notice by its name, and the parser for the payloads that the outbox stores."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any

from twofactor_server.mail import notices
from twofactor_server.mail.notices import Notice

KINDS: Mapping[str, type[Notice]] = {
    notice.kind: notice
    for notice in (
        notices.SignInCode,
        notices.BackupCodeUsed,
        notices.BackupCodeRegenerated,
        notices.AuthenticatorOn,
        notices.AuthenticatorOff,
        notices.PasswordChanged,
        notices.PasswordReset,
        notices.SecondFactorFailed,
        notices.SignInSuspended,
        notices.ConfirmEmail,
        notices.EmailInUse,
        notices.EmailChanged,
        notices.AccountClosed,
        notices.IdentityLinked,
        notices.IdentityUnlinked,
    )
}


def notice_from(payload: Mapping[str, Any]) -> Notice:
    """Parse what ``Notice.payload`` returned. Raises ValueError for an unknown kind.

    Unknown fields are ignored, so this release can deliver notices that a newer one queued.
    """
    notice = KINDS.get(payload["kind"])
    if notice is None:
        raise ValueError(f"unknown kind of notice: {payload['kind']!r}")
    values = {f.name: payload[f.name] for f in fields(notice) if f.name in payload}
    values["time"] = datetime.fromisoformat(values["time"])
    if "lifetime" in values:
        values["lifetime"] = timedelta(seconds=values["lifetime"])
    return notice(**values)
