"""The same as `calls`, for channels of asyncio."""

from collections.abc import Callable, Generator
from typing import Any

import grpc

from twofactor_client.calls import deadline, filled
from twofactor_client.errors import typed


class AsyncCalls(grpc.aio.UnaryUnaryClientInterceptor):
    """It stands above gRPC's retries, so all attempts of a call carry the same request_id."""

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.aio.ClientCallDetails, request: Any
    ) -> Any:
        given = client_call_details
        # Some versions of grpcio hand the method on as bytes.
        method = given.method.decode() if isinstance(given.method, bytes) else given.method
        details = grpc.aio.ClientCallDetails(
            given.method, deadline(method, given.timeout), given.metadata, given.credentials, given.wait_for_ready
        )
        return _TypedCall(await continuation(details, filled(request)))


class _TypedCall(grpc.aio.UnaryUnaryCall[Any, Any]):
    """A call that raises typed errors when it is awaited; in all else the call itself.

    Raised by the interceptor they would make grpcio complain: it expects its own errors to come from there.
    """

    def __init__(self, call: grpc.aio.UnaryUnaryCall[Any, Any]) -> None:
        self._call = call

    def __await__(self) -> Generator[None, None, Any]:
        try:
            return (yield from self._call.__await__())
        except grpc.RpcError as error:
            raise typed(error) from error

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
