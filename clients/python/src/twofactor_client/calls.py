"""What happens to each blocking call on its way: it gets a request_id and a deadline, and its refusal a type."""

from collections.abc import Callable
from typing import Any, cast

import grpc
from google.protobuf.message import Message

from twofactor_client.config import timeouts
from twofactor_client.errors import typed
from twofactor_client.request_ids import with_request_id


class _Details(grpc.ClientCallDetails):
    """The caller's own, with another timeout."""

    def __init__(self, given: grpc.ClientCallDetails) -> None:
        self.method = given.method
        self.timeout = deadline(given.method, given.timeout)
        self.metadata = given.metadata
        self.credentials = given.credentials
        self.wait_for_ready = given.wait_for_ready
        self.compression = given.compression


class Calls(grpc.UnaryUnaryClientInterceptor):
    """For blocking channels. It stands above gRPC's retries, so all attempts of a call carry the same request_id."""

    def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: grpc.ClientCallDetails, request: Any
    ) -> Any:
        return _Outcome(continuation(_Details(client_call_details), filled(request)))


class _Outcome:
    """A call, done or under way, that raises typed errors; in all else the call itself."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError as error:
            raise typed(error) from error

    def exception(self, timeout: float | None = None) -> BaseException | None:
        error: BaseException | None = self._call.exception(timeout)
        return typed(error) if isinstance(error, grpc.RpcError) else error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)


def deadline(method: str, given: float | None) -> float | None:
    """The caller's own, else the published one. A method that is newer than this package has none."""
    return timeouts().get(method) if given is None else given


def filled(request: object) -> Message:
    return with_request_id(cast("Message", request))
