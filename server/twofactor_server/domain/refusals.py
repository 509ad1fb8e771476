"""The one vocabulary of refusals. A refusal is an answer of the product, not a fault of the server."""

from datetime import datetime, timedelta
from enum import StrEnum


class Reason(StrEnum):
    """Why a call was refused; the names of the contract's ``ErrorReason`` without their prefix."""

    CALLER_UNAUTHENTICATED = "CALLER_UNAUTHENTICATED"
    CALLER_NOT_ALLOWED = "CALLER_NOT_ALLOWED"
    INVALID_FIELD = "INVALID_FIELD"
    CREDENTIALS_MISMATCH = "CREDENTIALS_MISMATCH"
    REAUTHENTICATION_FAILED = "REAUTHENTICATION_FAILED"
    REAUTHENTICATION_REQUIRED = "REAUTHENTICATION_REQUIRED"
    CODE_MISMATCH = "CODE_MISMATCH"
    CODE_SUPERSEDED = "CODE_SUPERSEDED"
    CODE_EXPIRED = "CODE_EXPIRED"
    CODE_ALREADY_USED = "CODE_ALREADY_USED"
    CHALLENGE_EXPIRED = "CHALLENGE_EXPIRED"
    CHALLENGE_CONSUMED = "CHALLENGE_CONSUMED"
    CHALLENGE_EXHAUSTED = "CHALLENGE_EXHAUSTED"
    CHALLENGE_NOT_FOUND = "CHALLENGE_NOT_FOUND"
    ACCOUNT_NOT_FOUND = "ACCOUNT_NOT_FOUND"
    SESSION_ENDED = "SESSION_ENDED"
    METHOD_NOT_ACTIVE = "METHOD_NOT_ACTIVE"
    SETUP_EXPIRED = "SETUP_EXPIRED"
    FIRST_FACTOR_SUSPENDED = "FIRST_FACTOR_SUSPENDED"
    AUTHENTICATOR_DISABLED = "AUTHENTICATOR_DISABLED"
    GENERATION_SUPERSEDED = "GENERATION_SUPERSEDED"
    ATTEMPTS_THROTTLED = "ATTEMPTS_THROTTLED"
    DELIVERY_THROTTLED = "DELIVERY_THROTTLED"
    OVERLOADED = "OVERLOADED"
    PASSWORD_REJECTED = "PASSWORD_REJECTED"  # noqa: S105 - the name of a reason
    EMAIL_TAKEN = "EMAIL_TAKEN"
    IDENTITY_TAKEN = "IDENTITY_TAKEN"
    LAST_WAY_IN = "LAST_WAY_IN"
    IDENTITY_NOT_LINKED = "IDENTITY_NOT_LINKED"
    PROVIDER_NOT_CONFIGURED = "PROVIDER_NOT_CONFIGURED"
    LINK_INVALID = "LINK_INVALID"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    REQUEST_ID_EXPIRED = "REQUEST_ID_EXPIRED"
    DEPENDENCY_UNAVAILABLE = "DEPENDENCY_UNAVAILABLE"
    CONFLICT = "CONFLICT"


class Refusal(Exception):
    """A call refused for ``reason``.

    ``field`` names the request's field at fault (snake_case path from the root), ``retry_after`` is how
    long to wait, ``details`` become the metadata of ErrorInfo. None of them ever holds a value that the
    caller sent: an echoed secret is a leaked one.
    """

    def __init__(
        self,
        reason: Reason,
        *,
        field: str = "",
        rule: str = "",
        retry_after: timedelta | None = None,
        **details: str | int | datetime,
    ) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.field = field
        self.rule = rule
        self.retry_after = retry_after
        self.details = details


def invalid(field: str, rule: str) -> Refusal:
    """A malformed field: ``rule`` says in a few words what it must be."""
    return Refusal(Reason.INVALID_FIELD, field=field, rule=rule)
