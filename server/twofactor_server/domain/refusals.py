"""Refusals: answers of the product other than success. They are not faults of the server.

A ``Refusal`` is an exception: it rolls back the transaction that it leaves. What a refusal must keep, such as a charged
attempt, is kept by *returning* a ``CommittedRefusal`` out of the transaction and raising it afterwards with ``unwrap``.
Neither can be used in place of the other: one cannot be raised, and the other is not part of any return type.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

T = TypeVar("T")


class Reason(StrEnum):
    """Why a call was refused: the names of the contract's ``ErrorReason`` without their prefix."""

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

    ``rule`` says what a value must be, ``retry_after`` how long to wait; ``details`` become the metadata of ErrorInfo.
    ``field`` is the path of the request's field and is set by the API only. None of them holds a value that the caller
    sent: it could be a secret.
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


@dataclass(frozen=True, slots=True)
class CommittedRefusal:
    """A refusal whose transaction commits. Return it from the transaction's block."""

    refusal: Refusal

    @property
    def reason(self) -> Reason:
        """Why the call is refused."""
        return self.refusal.reason


def refuse_committed(reason: Reason, **details: Any) -> CommittedRefusal:
    """A refusal for ``reason`` that is returned, so that the transaction commits."""
    return CommittedRefusal(Refusal(reason, **details))


def unwrap(outcome: T | CommittedRefusal) -> T:
    """The result of a committed transaction; a CommittedRefusal is raised as its Refusal."""
    if isinstance(outcome, CommittedRefusal):
        raise outcome.refusal
    return outcome


class InvalidValue(ValueError):
    """A malformed value. The text is the rule that it breaks; the API adds the field that it came from."""


def invalid(rule: str) -> Refusal:
    """A well-formed value that cannot be used here. The API adds the field that it came from."""
    return Refusal(Reason.INVALID_FIELD, rule=rule)
