"""The server's one outermost ``try``, and the one table from a refusal to a gRPC status.

Errors are statuses, never an OK with an outcome field: a caller that forgets to look must fail closed. What a
caller sees of an unexpected error is a fixed text and the call's id; the rest is in the log.
"""

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Sequence
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
"""When to repeat a call whose outcome is not known."""

_STATUS_TRAILER = "grpc-status-details-bin"
_PUSHBACK = ("grpc-retry-pushback-ms", "-1")

_INVALID = grpc.StatusCode.INVALID_ARGUMENT
_STATE = grpc.StatusCode.FAILED_PRECONDITION
_MISSING = grpc.StatusCode.NOT_FOUND
_SPENT = grpc.StatusCode.RESOURCE_EXHAUSTED

TABLE: dict[Reason, tuple[grpc.StatusCode, str]] = {
    Reason.CALLER_UNAUTHENTICATED: (grpc.StatusCode.UNAUTHENTICATED, "The calling service is not known."),
    Reason.CALLER_NOT_ALLOWED: (grpc.StatusCode.PERMISSION_DENIED, "The calling service may not do this."),
    Reason.INVALID_FIELD: (_INVALID, "A field is malformed."),
    Reason.CREDENTIALS_MISMATCH: (_INVALID, "The first factor does not match an account."),
    Reason.REAUTHENTICATION_FAILED: (_INVALID, "The re-authentication is wrong."),
    Reason.REAUTHENTICATION_REQUIRED: (_STATE, "A re-authentication is needed, or is too old."),
    Reason.CODE_MISMATCH: (_INVALID, "The code is wrong."),
    Reason.CODE_SUPERSEDED: (_INVALID, "A newer code was mailed; use that one."),
    Reason.CODE_EXPIRED: (_STATE, "The code was right, but it is too old; ask for another."),
    Reason.CODE_ALREADY_USED: (_STATE, "The code was used before; use the newest one."),
    Reason.CHALLENGE_EXPIRED: (_STATE, "The sign-in took too long, or was ended by a change; start again."),
    Reason.CHALLENGE_CONSUMED: (_STATE, "The sign-in is completed already."),
    Reason.CHALLENGE_EXHAUSTED: (_STATE, "The attempts of this sign-in are spent; start again."),
    Reason.CHALLENGE_NOT_FOUND: (_MISSING, "There is no such challenge."),
    Reason.ACCOUNT_NOT_FOUND: (_MISSING, "There is no such account."),
    Reason.SESSION_ENDED: (_STATE, "The session is over."),
    Reason.METHOD_NOT_ACTIVE: (_STATE, "The account uses another second factor."),
    Reason.SETUP_EXPIRED: (_STATE, "The setup is void or over; start again."),
    Reason.FIRST_FACTOR_SUSPENDED: (_STATE, "Signing in is suspended until the owner confirms by the mailed link."),
    Reason.AUTHENTICATOR_DISABLED: (_STATE, "The authenticator is disabled until it is set up anew."),
    Reason.GENERATION_SUPERSEDED: (_STATE, "This is not the current backup code."),
    Reason.ATTEMPTS_THROTTLED: (_SPENT, "Too many attempts; wait."),
    Reason.DELIVERY_THROTTLED: (_SPENT, "Too many mails; wait."),
    Reason.OVERLOADED: (_SPENT, "The server is busy; nothing was charged."),
    Reason.PASSWORD_REJECTED: (_INVALID, "The password may not be used."),
    Reason.EMAIL_TAKEN: (grpc.StatusCode.ALREADY_EXISTS, "The address belongs to an account."),
    Reason.IDENTITY_TAKEN: (grpc.StatusCode.ALREADY_EXISTS, "The identity is linked to another account."),
    Reason.LAST_WAY_IN: (_STATE, "This is the account's last way in."),
    Reason.IDENTITY_NOT_LINKED: (_MISSING, "The identity belongs to no account."),
    Reason.PROVIDER_NOT_CONFIGURED: (_STATE, "This provider is not configured."),
    Reason.LINK_INVALID: (_STATE, "The link is unknown, over, or was used before."),
    Reason.REQUEST_ID_REUSED: (_INVALID, "The request_id was used with other content."),
    Reason.REQUEST_ID_EXPIRED: (_STATE, "The answer to this request_id is no longer kept."),
    Reason.DEPENDENCY_UNAVAILABLE: (grpc.StatusCode.UNAVAILABLE, "Not available now, or not known; repeat the call."),
    Reason.CONFLICT: (grpc.StatusCode.ABORTED, "The change collided with others; repeat the call."),
}

Behaviour = Callable[[Any, grpc.aio.ServicerContext[Any, Any]], Awaitable[Any]]


async def answer(behaviour: Behaviour, request: Any, context: grpc.aio.ServicerContext[Any, Any], call_id: str) -> Any:
    """Run the behaviour; whatever leaves it becomes one status. Nothing else in the server aborts."""
    try:
        return await behaviour(request, context)
    except Refusal as refusal:
        await _abort(context, refusal)
    except DeadlinePassed:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The deadline passed.")
    except asyncio.CancelledError:
        # Left alone it would send no status at all, and the client would wait for its deadline.
        if context.cancelled():
            raise
        await _abort(context, Refusal(Reason.DEPENDENCY_UNAVAILABLE, retry_after=RETRY_AFTER))
    except Exception as error:
        # Where it happened and of what kind; not its text, which may repeat what the caller sent or a row's content.
        logger.error(
            "call %s failed: %s\n%s", call_id, _kinds(error), "".join(traceback.format_tb(error.__traceback__))
        )
        await _abort_internal(context, call_id)


def _kinds(error: BaseException | None) -> str:
    """The types of the error and of its causes, with the SQLSTATE where there is one."""
    kinds = []
    while error is not None:
        state = getattr(error, "sqlstate", None)
        kinds.append(type(error).__qualname__ + (f" {state}" if state else ""))
        error = error.__cause__
    return " from ".join(kinds)


def status_of(refusal: Refusal) -> Status:
    """The refusal as a ``google.rpc.Status``: ErrorInfo always, BadRequest for fields, RetryInfo for waits."""
    code, message = TABLE[refusal.reason]
    metadata = {name: _plain(value) for name, value in refusal.details.items()}
    if refusal.rule and refusal.reason is Reason.PASSWORD_REJECTED:
        metadata["rule"] = refusal.rule
    details: list[Any] = [ErrorInfo(reason=refusal.reason, domain=DOMAIN, metadata=metadata)]
    if refusal.field:
        violation = BadRequest.FieldViolation(field=refusal.field, description=refusal.rule)
        details.append(BadRequest(field_violations=[violation]))
    if refusal.retry_after is not None:
        delay = Duration()
        delay.FromTimedelta(refusal.retry_after)
        details.append(RetryInfo(retry_delay=delay))
    return Status(code=code.value[0], message=message, details=[_packed(detail) for detail in details])


async def _abort(context: grpc.aio.ServicerContext[Any, Any], refusal: Refusal) -> NoReturn:
    code, message = TABLE[refusal.reason]
    trailers: Sequence[tuple[str, str | bytes]] = [(_STATUS_TRAILER, status_of(refusal).SerializeToString())]
    if code is _SPENT:
        # Retrying at once what is throttled or overloaded only makes it worse, whatever the client's policy says.
        trailers = [*trailers, _PUSHBACK]
    await context.abort(code, message, tuple(trailers))


async def _abort_internal(context: grpc.aio.ServicerContext[Any, Any], call_id: str) -> NoReturn:
    message = "Something is wrong on our side."
    info = ErrorInfo(reason="INTERNAL", domain=DOMAIN, metadata={"call_id": call_id})
    status = Status(code=grpc.StatusCode.INTERNAL.value[0], message=message, details=[_packed(info)])
    await context.abort(grpc.StatusCode.INTERNAL, message, ((_STATUS_TRAILER, status.SerializeToString()),))


def _packed(message: Any) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


def _plain(value: str | int | datetime) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)
