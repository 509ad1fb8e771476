"""What "this wasn't me" undoes of the change that a notice told of, and whether that still stands.

The link of a notice says in its details what changed from what to what; they hold no secret. A change stands as long as
its outcome is what the account has now. What came after it was proved with that outcome, and is a change with a notice
of its own: it is not overwritten by the link of an earlier one. So a link brings back what was before its change, or
nothing, and whoever holds a mailbox alone never comes to a second factor that is weaker than the one before it.
"""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any
from uuid import UUID

from twofactor_server.domain.second_factors import EarlierAuthenticator, SecondFactor


class Undone(StrEnum):
    """What a report did; the contract's names and order."""

    SESSIONS_ENDED = "SESSIONS_ENDED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of an outcome
    FIRST_FACTOR_SUSPENDED = "FIRST_FACTOR_SUSPENDED"
    AUTHENTICATOR_REMOVED = "AUTHENTICATOR_REMOVED"
    AUTHENTICATOR_RESTORED = "AUTHENTICATOR_RESTORED"
    BACKUP_CODE_RETIRED = "BACKUP_CODE_RETIRED"
    EMAIL_RESTORED = "EMAIL_RESTORED"
    IDENTITY_UNLINKED = "IDENTITY_UNLINKED"


def in_order(undone: Collection[Undone]) -> list[Undone]:
    """In the order of the contract."""
    return [one for one in Undone if one in undone]


def factor_state(generation: int, totp_secret: bytes | None) -> str:
    """Names the second factor as it is: which authenticator, by its sealed secret, or e-mail codes since so many backup
    codes. No two states of an account at different times share a name, but where one was put back."""
    return f"authenticator {sha256(totp_secret).hexdigest()}" if totp_secret else f"email {generation}"


def authenticator_changed(before: SecondFactor, generation: int, totp_secret: bytes | None) -> dict[str, Any]:
    """The details of a change of the authenticator, from ``before`` to this; the link keeps the secret that was."""
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
    """The authenticator that the change took away; None if the account was on e-mail codes before it."""
    earlier = details["earlier"]
    if earlier is None:
        return None
    if totp_secret is None:
        raise ValueError("a link that has not been used keeps the secret that was")
    enabled = earlier["enable_time"]
    return EarlierAuthenticator(
        totp_secret=totp_secret,
        last_step=earlier["last_step"],
        enable_time=datetime.fromisoformat(enabled) if enabled else None,
        failures=earlier["failures"],
        disabled=earlier["disabled"],
    )


def backup_code_changed(generation: int, session_id: UUID) -> dict[str, Any]:
    """The details of a use or a regeneration: the generation that was shown, and the session that saw it."""
    return {"generation": generation, "session_id": str(session_id)}


def seen_by_the_same(shown: int, current: int, *, spent: Collection[int], made: Collection[int]) -> bool:
    """Whether who was shown the code of generation ``shown`` was shown the current one too.

    Each code that comes of using one is shown to whoever used it (``spent``), and what was regenerated in that same
    session (``made``) to whoever sits in it. Any other is the work of somebody who proved more: it stays.
    """
    while shown < current and (shown in spent or shown + 1 in made):
        shown += 1
    return shown == current


def email_changed(old: str) -> dict[str, Any]:
    """The details of a change of the address, which the old one can undo."""
    return {"old_email": old}


def identity_linked(identity_id: UUID) -> dict[str, Any]:
    """The details of a new link to a provider's identity."""
    return {"identity_id": str(identity_id)}
