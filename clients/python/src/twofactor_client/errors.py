"""Typed errors: one type for each reason that a front end handles differently."""

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
    """A rejected field: its path from the root of the request (`password.email`), and the rule it violates."""

    path: str
    rule: str


class Details(NamedTuple):
    """The error details of the status (`google.rpc`)."""

    reason: str = ""
    metadata: Mapping[str, str] = {}
    fields: tuple[FieldRule, ...] = ()
    retry_after: timedelta | None = None


class TwoFactorError(grpc.RpcError):
    """A call failed. The error contains neither the request nor any secret.

    `reason` is a name of ErrorReason without its prefix. It may be newer than this package, and it is "" if the error
    was not reported by twofactor, but by gRPC or a proxy. ErrorReason describes the `metadata` of each reason.
    """

    def __init__(self, status: grpc.StatusCode, message: str = "", details: Details | None = None) -> None:
        self.status = status
        self.message = message
        self.reason, self.metadata, self.fields, self.retry_after = details or Details()
        super().__init__(status, message, details)

    def __str__(self) -> str:
        """`FAILED_PRECONDITION CODE_ALREADY_USED (used_at 2026-11-24T08:00:00Z): The code was used before …`."""
        details = [f"{key} {value}" for key, value in sorted(self.metadata.items())]
        details += [f"{path}: {rule}" if rule else path for path, rule in self.fields]
        if self.retry_after is not None:
            details.append(f"retry after {self.retry_after.total_seconds():g} s")
        text = f"{self.status.name} {self.reason}".rstrip()
        if details:
            text += f" ({', '.join(details)})"
        return f"{text}: {self.message}" if self.message else text

    def code(self) -> grpc.StatusCode:
        """The status, as in grpc.Call."""
        return self.status

    def details(self) -> str:
        """The server's message for developers, as in grpc.Call."""
        return self.message


class InvalidField(TwoFactorError):
    """A field is missing or malformed: see `fields`. It did not count as an attempt."""


class CredentialsMismatch(TwoFactorError):
    """The first factor was wrong."""


class ReauthenticationRequired(TwoFactorError):
    """The method requires a recent password or second factor."""


class ReauthenticationFailed(TwoFactorError):
    """The re-authentication was wrong. Five failures end the session."""


class CodeMismatch(TwoFactorError):
    """The code was wrong, or a newer one was mailed."""

    @property
    def attempts_left(self) -> int | None:
        """Remaining attempts of the challenge or setup; None if the server did not report them."""
        text = self.metadata.get("attempts_left", "")
        return int(text) if text.isdecimal() else None


class CodeExpired(TwoFactorError):
    """The e-mail code has expired: send another."""


class CodeAlreadyUsed(TwoFactorError):
    """The authenticator code was used before: wait for the next one."""


class BackupCodeAlreadyUsed(CodeAlreadyUsed):
    """The backup code was used before: ask for the newest one."""

    @property
    def used_at(self) -> datetime | None:
        """When it was used, in UTC; None if the time cannot be parsed."""
        try:
            return datetime.fromisoformat(self.metadata["used_at"])
        except (KeyError, ValueError):
            return None


class ChallengeOver(TwoFactorError):
    """The challenge is expired, completed, exhausted or unknown: start the sign-in again."""


class SessionEnded(TwoFactorError):
    """The session has ended: sign in again."""


class FirstFactorSuspended(TwoFactorError):
    """Sign-in is suspended until the owner follows the mailed link."""


class AuthenticatorDisabled(TwoFactorError):
    """Too many wrong codes disabled the authenticator: ask for the backup code."""


class Throttled(TwoFactorError):
    """Too many attempts or mails: wait for `retry_after`. This call did not count as an attempt."""


class TryAgain(TwoFactorError):
    """The outcome is unknown. Repeat the call with the same request_id, after `retry_after` if it is set."""


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
_UNKNOWN_OUTCOME = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


def typed_error(error: grpc.RpcError) -> TwoFactorError:
    # Every RpcError raised by a call is also a grpc.Call, which the type stubs do not declare.
    call = cast("grpc.Call", error)
    # Iterate over pairs: some versions of grpcio.aio return an object that resembles a dict but is not one.
    serialized = next((value for key, value in call.trailing_metadata() or () if key == _DETAILS_TRAILER), None)
    details = _details(serialized)
    error_type = _TYPES.get(details.reason, TwoFactorError)
    if error_type is CodeAlreadyUsed and "used_at" in details.metadata:
        error_type = BackupCodeAlreadyUsed
    elif not details.reason and call.code() in _UNKNOWN_OUTCOME:
        error_type = TryAgain
    return error_type(call.code(), call.details() or "", details)


def _details(serialized: str | bytes | None) -> Details:
    found = Details()
    try:
        details = Status.FromString(serialized).details if isinstance(serialized, bytes) else ()
        for detail in details:
            info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
            if detail.Unpack(info) and info.domain == _DOMAIN:
                found = found._replace(reason=info.reason, metadata=dict(info.metadata))
            elif detail.Unpack(bad):
                rules = tuple(FieldRule(violation.field, violation.description) for violation in bad.field_violations)
                found = found._replace(fields=rules)
            elif detail.Unpack(retry):
                found = found._replace(retry_after=retry.retry_delay.ToTimedelta())
    except DecodeError:
        return Details()
    return found
