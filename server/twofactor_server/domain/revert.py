"""What the report of an unauthorised change reverts, and whether that change is still in effect.

The link in a notice holds in its details what changed from what to what; the details hold no secret. A change is in
effect while its result is what the account has now. Any later change was authorised with that result and has a notice
of its own, so the earlier link does not overwrite it. A link therefore restores the state before its own change, or
nothing, and reading a mailbox is never enough to get a weaker second factor than before.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from twofactor_server.domain.second_factors import EarlierAuthenticator, SecondFactor


class RevertedChange(StrEnum):
    """What a report did: the contract's names, in the contract's order."""

    SESSIONS_ENDED = "SESSIONS_ENDED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of an outcome
    FIRST_FACTOR_SUSPENDED = "FIRST_FACTOR_SUSPENDED"
    AUTHENTICATOR_REMOVED = "AUTHENTICATOR_REMOVED"
    AUTHENTICATOR_RESTORED = "AUTHENTICATOR_RESTORED"
    BACKUP_CODE_RETIRED = "BACKUP_CODE_RETIRED"
    EMAIL_RESTORED = "EMAIL_RESTORED"
    IDENTITY_UNLINKED = "IDENTITY_UNLINKED"


def in_contract_order(reverted: Collection[RevertedChange]) -> list[RevertedChange]:
    """Sorted as the contract lists them."""
    return [change for change in RevertedChange if change in reverted]


def factor_state(generation: int, totp_secret: bytes | None) -> str:
    """A name for the state of the second factor: the authenticator by its sealed secret, or e-mail codes since a
    generation. An account never has two different states of the same name."""
    return f"authenticator {sha256(totp_secret).hexdigest()}" if totp_secret else f"email {generation}"


def authenticator_change(before: SecondFactor, generation: int, totp_secret: bytes | None) -> dict[str, Any]:
    """The details of a change of the authenticator, from ``before`` to the new state. The link keeps the old secret."""
    details: dict[str, Any] = {
        "before": factor_state(before.generation, before.totp_secret),
        "after": factor_state(generation, totp_secret),
        "earlier": None,
    }
    if before.totp_secret is not None:
        details["earlier"] = {
            "last_step": before.last_step,
            "enable_time": before.enable_time.isoformat() if before.enable_time else None,
            "failures": before.authenticator.failures,
            "disabled": before.authenticator_disabled,
        }
    return details


def earlier_authenticator(details: dict[str, Any], totp_secret: bytes | None) -> EarlierAuthenticator | None:
    """The authenticator that was active before the change; None if the account was on e-mail codes."""
    earlier = details["earlier"]
    if earlier is None:
        return None
    if totp_secret is None:
        raise ValueError("an unused link keeps the earlier secret")
    enabled = earlier["enable_time"]
    return EarlierAuthenticator(
        totp_secret=totp_secret,
        last_step=earlier["last_step"],
        enable_time=datetime.fromisoformat(enabled) if enabled else None,
        failures=earlier["failures"],
        disabled=earlier["disabled"],
    )


def backup_code_change(generation: int, session_id: UUID) -> dict[str, Any]:
    """The details of a use or a regeneration: the generation that was shown, and the session that it was shown to."""
    return {"generation": generation, "session_id": str(session_id)}


def same_recipient(shown: int, current: int, *, spent: Collection[int], shown_in_session: Collection[int]) -> bool:
    """Whether the person who was shown the code of generation ``shown`` was also shown the current one.

    The replacement of a spent code is shown to the person who used it (``spent``), and what was regenerated in the same
    session to the person who holds that session. Any other code belongs to someone who proved more, and is kept.
    """
    while shown < current and (shown in spent or shown + 1 in shown_in_session):
        shown += 1
    return shown == current


def email_change(old: str) -> dict[str, Any]:
    """The details of a change of the e-mail address, which the old address can revert."""
    return {"old_email": old}


def identity_link(identity_id: UUID) -> dict[str, Any]:
    """The details of a newly linked identity."""
    return {"identity_id": str(identity_id)}
