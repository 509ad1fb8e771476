"""From a refusal to a gRPC status: one table for the whole server.

Errors are statuses, never an OK with an outcome field: a caller that forgets to check must fail closed. For an
unexpected error the caller gets a fixed text and the call's id; the rest is in the log.
"""

import asyncio
import logging
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from twofactor_server.domain.calls import DeadlinePassed
from twofactor_server.domain.refusals import Reason, Refusal

logger = logging.getLogger(__name__)

DOMAIN = "twofactor"
RETRY_AFTER = timedelta(seconds=1)
"""When to repeat a call whose outcome is unknown."""

_STATUS_TRAILER = "grpc-status-details-bin"
_PUSHBACK = ("grpc-retry-pushback-ms", "-1")

_INVALID_ARGUMENT = grpc.StatusCode.INVALID_ARGUMENT
_PRECONDITION = grpc.StatusCode.FAILED_PRECONDITION
_NOT_FOUND = grpc.StatusCode.NOT_FOUND
_EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED

TABLE: dict[Reason, tuple[grpc.StatusCode, str]] = {
    Reason.CALLER_UNAUTHENTICATED: (grpc.StatusCode.UNAUTHENTICATED, "Unknown calling service."),
    Reason.CALLER_NOT_ALLOWED: (
        grpc.StatusCode.PERMISSION_DENIED,
        "The calling service may not call this method.",
    ),
    Reason.INVALID_FIELD: (_INVALID_ARGUMENT, "A field is invalid."),
    Reason.CREDENTIALS_MISMATCH: (_INVALID_ARGUMENT, "The first factor does not match an account."),
    Reason.REAUTHENTICATION_FAILED: (_INVALID_ARGUMENT, "The re-authentication is wrong."),
    Reason.REAUTHENTICATION_REQUIRED: (_PRECONDITION, "Re-authentication is required, or is too old."),
    Reason.CODE_MISMATCH: (_INVALID_ARGUMENT, "The code is wrong."),
    Reason.CODE_SUPERSEDED: (_INVALID_ARGUMENT, "A newer code was sent. Use the newest one."),
    Reason.CODE_EXPIRED: (_PRECONDITION, "The code has expired. Request a new one."),
    Reason.CODE_ALREADY_USED: (_PRECONDITION, "The code has already been used. Use the newest one."),
    Reason.CHALLENGE_EXPIRED: (
        _PRECONDITION,
        "The sign-in expired or was ended by a change of the account. Start again.",
    ),
    Reason.CHALLENGE_CONSUMED: (_PRECONDITION, "The sign-in is already complete."),
    Reason.CHALLENGE_EXHAUSTED: (_PRECONDITION, "No attempts are left for this sign-in. Start again."),
    Reason.CHALLENGE_NOT_FOUND: (_NOT_FOUND, "Challenge not found."),
    Reason.ACCOUNT_NOT_FOUND: (_NOT_FOUND, "Account not found."),
    Reason.SESSION_ENDED: (_PRECONDITION, "The session has ended."),
    Reason.METHOD_NOT_ACTIVE: (_PRECONDITION, "The account uses another second factor."),
    Reason.SETUP_EXPIRED: (_PRECONDITION, "The setup has expired or is void. Start again."),
    Reason.FIRST_FACTOR_SUSPENDED: (
        _PRECONDITION,
        "Signing in is suspended. The owner lifts it with the mailed link.",
    ),
    Reason.AUTHENTICATOR_DISABLED: (_PRECONDITION, "The authenticator is disabled until it is set up again."),
    Reason.GENERATION_SUPERSEDED: (_PRECONDITION, "This is not the current backup code."),
    Reason.ATTEMPTS_THROTTLED: (_EXHAUSTED, "Too many attempts. Wait before trying again."),
    Reason.DELIVERY_THROTTLED: (_EXHAUSTED, "Too many e-mails. Wait before requesting another."),
    Reason.OVERLOADED: (_EXHAUSTED, "The server is overloaded. No attempt was charged; retry later."),
    Reason.PASSWORD_REJECTED: (_INVALID_ARGUMENT, "The password is not allowed."),
    Reason.EMAIL_TAKEN: (grpc.StatusCode.ALREADY_EXISTS, "The address belongs to an account."),
    Reason.IDENTITY_TAKEN: (grpc.StatusCode.ALREADY_EXISTS, "The identity is linked to another account."),
    Reason.LAST_WAY_IN: (_PRECONDITION, "This is the account's last way to sign in."),
    Reason.IDENTITY_NOT_LINKED: (_NOT_FOUND, "The identity is not linked to an account."),
    Reason.PROVIDER_NOT_CONFIGURED: (_PRECONDITION, "This provider is not configured."),
    Reason.LINK_INVALID: (_PRECONDITION, "The link is unknown, expired, or already used."),
    Reason.REQUEST_ID_REUSED: (_INVALID_ARGUMENT, "The request_id was used with other content."),
    Reason.REQUEST_ID_EXPIRED: (_PRECONDITION, "The answer to this request_id is no longer available."),
    Reason.DEPENDENCY_UNAVAILABLE: (
        grpc.StatusCode.UNAVAILABLE,
        "Temporarily unavailable, or the outcome is unknown. Retry with the same request_id.",
    ),
    Reason.CONFLICT: (
        grpc.StatusCode.ABORTED,
        "The call conflicted with another change. Retry it.",
    ),
}
"""The gRPC code and the text of each reason."""

_IMPLIED_FIELDS = {Reason.REQUEST_ID_REUSED: "request_id"}


async def abort(context: grpc.aio.ServicerContext[Any, Any], error: BaseException, call_id: str) -> NoReturn:
    """End the call with the status of ``error``."""
    match error:
        case Refusal():
            await _abort_refused(context, error)
        case DeadlinePassed():
            await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The deadline has passed.")
        case TimeoutError() | asyncio.CancelledError() if not context.cancelled():
            # Left alone, a cancellation would send no status, and the client would wait for its deadline.
            await _abort_refused(context, Refusal(Reason.DEPENDENCY_UNAVAILABLE, retry_after=RETRY_AFTER))
        case Exception():
            # The log shows where and of what type, but not the text: it may repeat what the caller sent or a row.
            trace = "".join(traceback.format_tb(error.__traceback__))
            logger.error("call %s failed: %s\n%s", call_id, _error_types(error), trace)
            await _abort_internal(context, call_id)
    raise error


def _error_types(error: BaseException | None) -> str:
    """The types of the error and its causes, with SQLSTATEs."""
    types = []
    while error is not None:
        state = getattr(error, "sqlstate", None)
        types.append(type(error).__qualname__ + (f" {state}" if state else ""))
        error = error.__cause__
    return " from ".join(types)


def status_of(refusal: Refusal) -> Status:
    """The refusal as a ``google.rpc.Status``: ErrorInfo always, BadRequest for a field, RetryInfo for a wait."""
    code, message = TABLE[refusal.reason]
    metadata = {name: _to_text(value) for name, value in refusal.details.items()}
    if refusal.rule and refusal.reason is Reason.PASSWORD_REJECTED:
        metadata["rule"] = refusal.rule
    details: list[Any] = [ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=metadata)]
    field = refusal.field or _IMPLIED_FIELDS.get(refusal.reason, "")
    if field:
        violation = BadRequest.FieldViolation(field=field, description=refusal.rule)
        details.append(BadRequest(field_violations=[violation]))
    if refusal.retry_after is not None:
        delay = Duration()
        delay.FromTimedelta(refusal.retry_after)
        details.append(RetryInfo(retry_delay=delay))
    return Status(code=code.value[0], message=message, details=[_pack(detail) for detail in details])


async def _abort_refused(context: grpc.aio.ServicerContext[Any, Any], refusal: Refusal) -> NoReturn:
    code, message = TABLE[refusal.reason]
    trailers: Sequence[tuple[str, str | bytes]] = [(_STATUS_TRAILER, status_of(refusal).SerializeToString())]
    if code is _EXHAUSTED:
        # Immediate retries of throttled or overloaded calls make it worse, whatever the client's retry policy says.
        trailers = [*trailers, _PUSHBACK]
    await context.abort(code, message, tuple(trailers))


async def _abort_internal(context: grpc.aio.ServicerContext[Any, Any], call_id: str) -> NoReturn:
    message = "Internal error."
    info = ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"call_id": call_id})
    status = Status(code=grpc.StatusCode.INTERNAL.value[0], message=message, details=[_pack(info)])
    await context.abort(grpc.StatusCode.INTERNAL, message, ((_STATUS_TRAILER, status.SerializeToString()),))


def _pack(message: Any) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


def _to_text(value: str | int | datetime) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)
