"""The three interceptors of every call, outermost first: errors, call context, access.

Health and reflection pass through them untouched. A handler is wrapped once and kept.
"""

import asyncio
import logging
import time
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any, TypeAlias, TypeVar, cast
from uuid import uuid4

import grpc
from google.protobuf.message import DecodeError, Message

from twofactor_server.api import errors
from twofactor_server.api.access import Access
from twofactor_server.api.fields import Undecodable, check_strings, ip_address, refuse_field
from twofactor_server.domain.calls import Call, Client
from twofactor_server.domain.refusals import Reason, Refusal

logger = logging.getLogger(__name__)

MAX_CALL_SECONDS = 10.0
"""Longest time to the answer, also without a deadline of the client."""

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Behaviour: TypeAlias = Callable[[Any, Context], Awaitable[Any]]
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
T = TypeVar("T")

_current: ContextVar[Call] = ContextVar("call")


def current_call(request: Any = None) -> Call:
    """The call being served. With a request that has ``client``, the call acts for that person."""
    call = _current.get()
    if request is not None:
        address = ip_address(request.client.ip_address, "client.ip_address")
        call.client = Client(address, request.client.user_agent)
    return call


class CallRunner:
    """Runs each call in a task of its own, so that a client that hangs up cannot interrupt a transaction.

    The call is marked as abandoned instead, and begins no further transaction.
    """

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, call: Call, work: Awaitable[T]) -> T:
        """The result. Past the deadline: DEPENDENCY_UNAVAILABLE, because the outcome is unknown."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._finished)
        try:
            done, _ = await asyncio.wait({task}, timeout=max(0.0, call.deadline - time.monotonic()))
        except asyncio.CancelledError:
            call.abandoned = True
            raise
        if not done:
            call.abandoned = True
            raise Refusal(Reason.DEPENDENCY_UNAVAILABLE, retry_after=errors.RETRY_AFTER)
        return task.result()

    async def drain(self) -> None:
        """Wait for the running calls. Those that outlive every deadline are cancelled and roll back."""
        if not self._running:
            return
        _, late = await asyncio.wait(self._running, timeout=MAX_CALL_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _finished(self, task: "asyncio.Task[Any]") -> None:
        self._running.discard(task)
        if not task.cancelled():
            # Read the exception: no one may be waiting for it any more.
            task.exception()


class _Interceptor(grpc.aio.ServerInterceptor):
    """Wraps the methods of the contract. The request is not read yet when it is called."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._wrapped: dict[str, Handler] = {}

    async def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler | None":
        method = handler_call_details.method
        if wrapped := self._wrapped.get(method):
            return wrapped
        handler = await continuation(handler_call_details)
        if handler is None or not self._access.covers(method):
            return handler
        wrapped = grpc.unary_unary_rpc_method_handler(
            self._wrap(method, cast(Behaviour, handler.unary_unary)),
            request_deserializer=lenient_decoder(handler.request_deserializer),
            response_serializer=handler.response_serializer,
        )
        self._wrapped[method] = wrapped
        return wrapped

    @abstractmethod
    def _wrap(self, method: str, behaviour: Behaviour) -> Behaviour:
        """The behaviour with what this interceptor adds."""


class ErrorInterceptor(_Interceptor):
    """Turns every exception into one status. Nothing else in the server aborts a call."""

    def _wrap(self, method: str, behaviour: Behaviour) -> Behaviour:  # noqa: ARG002
        async def map_errors(request: Any, context: Context) -> Any:
            try:
                return await behaviour(request, context)
            except BaseException as error:
                call = _current.get(None)
                await errors.abort(context, error, call.call_id if call else uuid4().hex)

        return map_errors


class CallContextInterceptor(_Interceptor):
    """Gives the call its id and deadline, runs it, and writes one line to the log."""

    def __init__(self, access: Access, runner: CallRunner) -> None:
        super().__init__(access)
        self._runner = runner

    def _wrap(self, method: str, behaviour: Behaviour) -> Behaviour:
        name = method.rpartition("/")[2]

        async def run(request: Any, context: Context) -> Any:
            started = time.monotonic()
            remaining = context.time_remaining()
            seconds = MAX_CALL_SECONDS if remaining is None else min(remaining, MAX_CALL_SECONDS)
            call = Call(uuid4().hex, started + seconds)
            _current.set(call)
            outcome = "OK"
            try:
                return await self._runner.run(call, behaviour(request, context))
            except BaseException as error:
                outcome = error.reason if isinstance(error, Refusal) else type(error).__name__
                raise
            finally:
                elapsed = (time.monotonic() - started) * 1000
                logger.info("%s %s %.0f ms call=%s", name, outcome, elapsed, call.call_id)

        return run


class AccessInterceptor(_Interceptor):
    """Authorizes the caller, and only then checks that the request is well formed."""

    def _wrap(self, method: str, behaviour: Behaviour) -> Behaviour:
        async def authorize(request: Any, context: Context) -> Any:
            caller = self._access.authorize(method)
            call = _current.get()
            call.caller, call.may_assert, call.may_provision = caller.name, caller.may_assert, caller.may_provision
            if isinstance(request, Undecodable):
                raise refuse_field("request", "not a message of this method's request type")
            check_strings(cast(Message, request))
            return await behaviour(request, context)

        return authorize


def lenient_decoder(deserialize: Any) -> Any:
    """Without it, gRPC answers undecodable bytes with UNKNOWN and protobuf's own text, before any of our code runs."""

    def decode(serialized: bytes) -> Any:
        try:
            return deserialize(serialized)
        except (DecodeError, UnicodeDecodeError):
            return Undecodable()

    return decode
