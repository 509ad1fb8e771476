"""Client interceptors: they set the request_id and the deadline of each call, and raise typed errors.

Interceptors run above gRPC's retries, so all attempts of a call carry the same request_id.
"""

from collections.abc import Callable, Generator
from typing import Any, cast

import grpc
from google.protobuf.message import Message

from twofactor_client.config import timeouts
from twofactor_client.errors import typed_error
from twofactor_client.request_ids import with_request_id


class BlockingInterceptor(grpc.UnaryUnaryClientInterceptor):
    """For blocking channels."""

    def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        return _BlockingCall(continuation(_CallDetails(client_call_details), _prepare(request)))


class AsyncInterceptor(grpc.aio.UnaryUnaryClientInterceptor):
    """For channels of grpc.aio."""

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        details = client_call_details
        # Some versions of grpcio pass the method as bytes.
        method = details.method.decode() if isinstance(details.method, bytes) else details.method
        with_deadline = grpc.aio.ClientCallDetails(
            details.method,
            _timeout(method, details.timeout),
            details.metadata,
            details.credentials,
            details.wait_for_ready,
        )
        return _AsyncCall(await continuation(with_deadline, _prepare(request)))


class _CallDetails(grpc.ClientCallDetails):
    """A copy with the deadline of the call."""

    def __init__(self, details: grpc.ClientCallDetails) -> None:
        self.method = details.method
        self.timeout = _timeout(details.method, details.timeout)
        self.metadata = details.metadata
        self.credentials = details.credentials
        self.wait_for_ready = details.wait_for_ready
        self.compression = details.compression


class _BlockingCall:
    """Delegates to the call or future, but raises typed errors."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError as error:
            raise typed_error(error) from error

    def exception(self, timeout: float | None = None) -> BaseException | None:
        error: BaseException | None = self._call.exception(timeout)
        return typed_error(error) if isinstance(error, grpc.RpcError) else error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


class _AsyncCall(grpc.aio.UnaryUnaryCall[Any, Any]):
    """Delegates to the call, but raises typed errors when it is awaited.

    The interceptor itself must not raise them: grpcio expects only its own errors from an interceptor.
    """

    def __init__(self, call: grpc.aio.UnaryUnaryCall[Any, Any]) -> None:
        self._call = call

    def __await__(self) -> Generator[None, None, Any]:
        try:
            return (yield from self._call.__await__())
        except grpc.RpcError as error:
            raise typed_error(error) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def cancelled(self) -> bool:
        return self._call.cancelled()

    def done(self) -> bool:
        return self._call.done()

    def time_remaining(self) -> float | None:
        return self._call.time_remaining()

    def cancel(self) -> bool:
        return self._call.cancel()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._call.add_done_callback(callback)

    async def initial_metadata(self) -> grpc.aio.Metadata:
        return await self._call.initial_metadata()

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        return await self._call.trailing_metadata()

    async def code(self) -> grpc.StatusCode:
        return await self._call.code()

    async def details(self) -> str:
        return await self._call.details()

    async def wait_for_connection(self) -> None:
        await self._call.wait_for_connection()


def _timeout(method: str, timeout: float | None) -> float | None:
    """The caller's timeout, or else the published one. Methods newer than this package have none."""
    return timeouts().get(method) if timeout is None else timeout


def _prepare(request: object) -> Message:
    return with_request_id(cast("Message", request))
