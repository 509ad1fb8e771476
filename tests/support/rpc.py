"""Calls of the service, built from the descriptors of the contract.

``await rpc.UseBackupCode(challenge_token=…, backup_code=…)`` makes a call, ``build.UseBackupCode(…)`` the request only.
A refusal is raised as `Refused`; ``with refused("CODE_MISMATCH") as refusal:`` expects one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc_status import rpc_status

from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2

SERVICES: tuple[ServiceDescriptor, ...] = (
    sign_in_service_pb2.DESCRIPTOR.services_by_name["SignInService"],
    two_factor_service_pb2.DESCRIPTOR.services_by_name["TwoFactorService"],
    account_service_pb2.DESCRIPTOR.services_by_name["AccountService"],
)
METHODS: Mapping[str, MethodDescriptor] = {method.name: method for service in SERVICES for method in service.methods}
METHOD_OF_REQUEST: Mapping[str, MethodDescriptor] = {method.input_type.full_name: method for method in METHODS.values()}
"""Each method has a request type of its own."""

CLIENT = types_pb2.ClientInfo(ip_address="192.0.2.10", user_agent="Mozilla/5.0 (X11; Linux) Firefox/140.0")


@dataclass(eq=False)
class Refused(Exception):
    """A refusal as a client sees it. ``retry_after`` is in seconds; ``reason`` is empty if the connection broke."""

    code: grpc.StatusCode
    reason: str
    metadata: dict[str, str]
    fields: tuple[str, ...]
    retry_after: float | None
    message: str
    trailers: Mapping[str, str | bytes]

    def __str__(self) -> str:
        return repr(self)

    @property
    def content(self) -> bytes:
        """Everything that was sent to the client, to search for values that must not be there."""
        texts = (value if isinstance(value, bytes) else value.encode() for value in self.trailers.values())
        return b"\0".join([self.message.encode(), *texts])


class Requests:
    """``build.Method(**fields)`` builds a request. The client's address and browser are filled in unless given."""

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method not in METHODS:
            raise AttributeError(method)
        return lambda **fields: _request(method, CLIENT, fields)


build = Requests()


@dataclass
class Rpc:
    """``await rpc.Method(**fields)`` calls the method over the channel and returns its response."""

    channel: grpc.aio.Channel
    client: types_pb2.ClientInfo | None = None

    def __getattr__(self, method: str) -> Callable[..., Awaitable[Any]]:
        if method not in METHODS:
            raise AttributeError(method)

        def call(**fields: Any) -> Awaitable[Any]:
            return self.send(_request(method, self.client or CLIENT, fields))

        return call

    async def send(self, request: Message) -> Any:
        """Send a request that is built already."""
        method = METHOD_OF_REQUEST[request.DESCRIPTOR.full_name]
        response = GetMessageClass(method.output_type)()
        response.ParseFromString(await self.send_bytes(method.name, request.SerializeToString()))
        return response

    async def send_bytes(self, method: str, content: bytes) -> bytes:
        """Send these bytes as the request, and return the bytes of the response."""
        stub: Any = self.channel.unary_unary(path_of(METHODS[method]))
        try:
            answer: bytes = await stub(content, timeout=30)
        except grpc.aio.AioRpcError as error:
            raise refusal_from(error) from None
        return answer


def refused(reason: str) -> "pytest.RaisesExc[Refused]":
    """Expect a refusal for this reason. The value that ``as`` binds has the refusal as its ``value``."""
    return pytest.raises(Refused, check=lambda refusal: refusal.reason == reason)


def refusal_from(error: grpc.aio.AioRpcError) -> Refused:
    """Decode the status and its details."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    trailing: Any = error.trailing_metadata() or ()
    info, bad, retry = ErrorInfo(), BadRequest(), RetryInfo()
    found: dict[str, Message] = {}
    for detail in status.details if status else ():
        for message in (info, bad, retry):
            if detail.Unpack(message):
                found[message.DESCRIPTOR.name] = message
    assert info.domain in ("", "twofactor")
    return Refused(
        code=error.code(),
        reason=info.reason,
        metadata=dict(info.metadata),
        fields=tuple(violation.field for violation in bad.field_violations),
        retry_after=retry.retry_delay.ToTimedelta().total_seconds() if "RetryInfo" in found else None,
        message=error.details() or "",
        trailers=dict(trailing),
    )


def path_of(method: MethodDescriptor) -> str:
    """The method's path in gRPC."""
    return f"/{method.containing_service.full_name}/{method.name}"


def _request(method: str, client: types_pb2.ClientInfo, fields: dict[str, Any]) -> Message:
    request_type = METHODS[method].input_type
    if "client" in request_type.fields_by_name:
        fields = {"client": client, **fields}
    return GetMessageClass(request_type)(**fields)
