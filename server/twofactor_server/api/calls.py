"""The interceptor of every call: its id, its deadline, one line in the log, and the readiness of its request."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, TypeAlias, cast
from uuid import uuid4

import grpc
from google.protobuf.message import DecodeError, Message

from twofactor_server.api import errors
from twofactor_server.api.access import Access
from twofactor_server.api.fields import Undecodable, check_strings, ip
from twofactor_server.domain.calls import Call, Client
from twofactor_server.domain.refusals import Reason, Refusal, invalid

logger = logging.getLogger(__name__)

DEADLINE_CAP = 10.0
"""Seconds a call may take at most, also where the client set no deadline."""

_current: ContextVar[Call] = ContextVar("call")
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


def current(request: Any = None) -> Call:
    """The call being served; with a request that has ``client``, on behalf of that person."""
    call = _current.get()
    if request is None:
        return call
    client = Client(ip(request.client.ip_address, "client.ip_address"), request.client.user_agent)
    return replace(call, client=client)


class Calls(grpc.aio.ServerInterceptor):
    """Wraps every method of the contract; health and reflection go by."""

    def __init__(self, access: Access) -> None:
        self._access = access

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        """The handler, wrapped. The request is not read yet: what looks at it must run inside."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not self._access.covers(method):
            return handler
        return grpc.unary_unary_rpc_method_handler(
            self._wrapped(handler.unary_unary, method),
            request_deserializer=_forgiving(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )

    def _wrapped(self, behaviour: Any, method: str) -> Any:
        async def serve(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            call_id = uuid4().hex
            started = time.monotonic()
            name = method.rpartition("/")[2]

            async def admitted(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
                left = context.time_remaining()
                span = DEADLINE_CAP if left is None else min(left, DEADLINE_CAP)
                caller = self._access.admit(method)
                call = Call(
                    call_id,
                    caller.name,
                    started + span,
                    may_assert=caller.may_assert,
                    may_provision=caller.may_provision,
                )
                _current.set(call)
                return await _in_time(behaviour, request, context, started + span)

            outcome = "OK"

            async def told(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
                nonlocal outcome
                try:
                    return await admitted(request, context)
                except BaseException as error:
                    outcome = error.reason if isinstance(error, Refusal) else type(error).__name__
                    raise

            try:
                return await errors.answer(told, request, context, call_id)
            finally:
                elapsed = (time.monotonic() - started) * 1000
                logger.info("%s %s %.0f ms call=%s", name, outcome, elapsed, call_id)

        return serve


async def _in_time(behaviour: Any, request: Any, context: grpc.aio.ServicerContext[Any, Any], deadline: float) -> Any:
    if isinstance(request, Undecodable):
        raise invalid("request", "not a message of this method's request type")
    check_strings(cast(Message, request))
    try:
        # A client's own deadline is kept by gRPC; the cap is ours, and past it nobody can say what was done.
        async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
            return await behaviour(request, context)
    except TimeoutError:
        raise Refusal(Reason.DEPENDENCY_UNAVAILABLE, retry_after=errors.RETRY_AFTER) from None


def _forgiving(deserialize: Any) -> Any:
    """Undecodable bytes would be answered UNKNOWN, with protobuf's own text, before any of our code runs."""

    def decode(serialized: bytes) -> Any:
        try:
            return deserialize(serialized)
        except (DecodeError, UnicodeDecodeError):
            return Undecodable()

    return decode
