"""Typed errors: what a refused call says, and one type for each thing that a front end does about it."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple, cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

_DOMAIN = "twofactor"
_DETAILS_TRAILER = "grpc-status-details-bin"


class FieldRule(NamedTuple):
    """A field at fault by its path from the request's root (`password.email`), and what it must be; never its value."""

    path: str
    rule: str


class Details(NamedTuple):
    """What a refusal carries beside its status."""

    reason: str = ""
    metadata: Mapping[str, str] = {}
    fields: tuple[FieldRule, ...] = ()
    retry_after: timedelta | None = None


class TwoFactorError(grpc.RpcError):
    """A call that was answered with a status other than OK. It never holds what was sent, nor any secret.

    `reason` is a name of the contract's ErrorReason without its prefix: perhaps one that is newer than this package,
    and "" if gRPC itself, or something that is no twofactor server, refused. `metadata` goes with the reason.
    """

    def __init__(self, status: grpc.StatusCode, message: str = "", details: Details | None = None) -> None:
        self.status = status
        self.message = message
        self.reason, self.metadata, self.fields, self.retry_after = details or Details()
        super().__init__(status, message, details)

    def __str__(self) -> str:
        """`FAILED_PRECONDITION CODE_ALREADY_USED (used_at 2026-11-24T08:00:00Z): The code was used before …`."""
        words = [f"{key} {value}" for key, value in sorted(self.metadata.items())]
        words += [f"{path}: {rule}" if rule else path for path, rule in self.fields]
        if self.retry_after is not None:
            words.append(f"again in {self.retry_after.total_seconds():g} s")
        name = f"{self.status.name} {self.reason}".rstrip()
        beside = f" ({', '.join(words)})" if words else ""
        return f"{name}{beside}: {self.message}" if self.message else f"{name}{beside}"

    def code(self) -> grpc.StatusCode:
        """The status, as other errors of grpc tell it."""
        return self.status

    def details(self) -> str:
        """The text of the status, for a person who reads a log."""
        return self.message


class InvalidField(TwoFactorError):
    """A field is missing or malformed: see `fields`. Nothing was charged."""


class CredentialsMismatch(TwoFactorError):
    """The first factor was wrong."""


class ReauthenticationRequired(TwoFactorError):
    """Ask for the password, or a second factor, again."""


class ReauthenticationFailed(TwoFactorError):
    """The re-authentication was wrong."""


class CodeMismatch(TwoFactorError):
    """The code was wrong, or a newer one has been mailed."""

    @property
    def attempts_left(self) -> int | None:
        """What the challenge or setup still bears; None if that was not told."""
        told = self.metadata.get("attempts_left", "")
        return int(told) if told.isdecimal() else None


class CodeExpired(TwoFactorError):
    """The mailed code is too old: send another."""


class CodeAlreadyUsed(TwoFactorError):
    """The code was right once and is spent. For an authenticator: wait for the next."""


class BackupCodeAlreadyUsed(CodeAlreadyUsed):
    """The backup code has signed somebody in before: the newest one is wanted."""

    @property
    def used_at(self) -> datetime | None:
        """When, in UTC; None if it is told in a way that this version cannot read."""
        try:
            return datetime.fromisoformat(self.metadata["used_at"])
        except (KeyError, ValueError):
            return None


class ChallengeOver(TwoFactorError):
    """Start signing in again."""


class SessionEnded(TwoFactorError):
    """The person must sign in again."""


class FirstFactorSuspended(TwoFactorError):
    """The owner has a mail with a link by which to confirm."""


class AuthenticatorDisabled(TwoFactorError):
    """Ask for the backup code instead."""


class Throttled(TwoFactorError):
    """Too many attempts or mails: wait for `retry_after`. Nothing was charged."""


class TryAgain(TwoFactorError):
    """Repeat the same call with the same request_id, after `retry_after` if that is told: it may have succeeded."""


_TYPES: Mapping[str, type[TwoFactorError]] = {
    "INVALID_FIELD": InvalidField,
    "CREDENTIALS_MISMATCH": CredentialsMismatch,
    "REAUTHENTICATION_REQUIRED": ReauthenticationRequired,
    "REAUTHENTICATION_FAILED": ReauthenticationFailed,
    "CODE_MISMATCH": CodeMismatch,
    "CODE_SUPERSEDED": CodeMismatch,
    "CODE_EXPIRED": CodeExpired,
    "CODE_ALREADY_USED": CodeAlreadyUsed,
    "CHALLENGE_EXPIRED": ChallengeOver,
    "CHALLENGE_CONSUMED": ChallengeOver,
    "CHALLENGE_EXHAUSTED": ChallengeOver,
    "CHALLENGE_NOT_FOUND": ChallengeOver,
    "SESSION_ENDED": SessionEnded,
    "FIRST_FACTOR_SUSPENDED": FirstFactorSuspended,
    "AUTHENTICATOR_DISABLED": AuthenticatorDisabled,
    "ATTEMPTS_THROTTLED": Throttled,
    "DELIVERY_THROTTLED": Throttled,
    "OVERLOADED": TryAgain,
    "CONFLICT": TryAgain,
    "DEPENDENCY_UNAVAILABLE": TryAgain,
}
_UNANSWERED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def typed(error: grpc.RpcError) -> TwoFactorError:
    """The error as one of the types above."""
    # Every RpcError that a call raises is a grpc.Call as well; the types do not know.
    call = cast("grpc.Call", error)
    # Pair by pair: what some versions of grpcio.aio hand out looks like a dict and is none.
    packed = next((value for key, value in call.trailing_metadata() or () if key == _DETAILS_TRAILER), None)
    details = _details(packed)
    kind = _TYPES.get(details.reason, TwoFactorError)
    if kind is CodeAlreadyUsed and "used_at" in details.metadata:
        kind = BackupCodeAlreadyUsed
    elif not details.reason and call.code() in _UNANSWERED:
        kind = TryAgain
    return kind(call.code(), call.details() or "", details)


def _details(packed: str | bytes | None) -> Details:
    found = Details()
    try:
        details = Status.FromString(packed).details if isinstance(packed, bytes) else ()
        for detail in details:
            info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
            if detail.Unpack(info) and info.domain == _DOMAIN:
                found = found._replace(reason=info.reason, metadata=dict(info.metadata))
            elif detail.Unpack(bad):
                rules = tuple(FieldRule(one.field, one.description) for one in bad.field_violations)
                found = found._replace(fields=rules)
            elif detail.Unpack(retry):
                found = found._replace(retry_after=retry.retry_delay.ToTimedelta())
    except DecodeError:
        return Details()
    return found
