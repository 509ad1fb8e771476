"""A gRPC proxy in front of the server. It forwards calls, except where a script replies instead.

Scripts simulate servers that are newer than the client, overloaded, temporarily unavailable, or unresponsive.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from clients.conformance.contract import build_response

Script = dict[str, Any]

_HANG_SECONDS = 60.0
# Field 2000, a string: no message of the contract has it.
_UNKNOWN_FIELD = b"\x82\x7d\x05newer"


class ScriptedProxy(grpc.GenericRpcHandler):
    """`scripts` are the replies due per method; `received` are the serialized requests per method."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self.scripts: dict[str, deque[Script]] = defaultdict(deque)
        self.received: dict[str, list[bytes]] = defaultdict(list)

    def reset(self) -> None:
        self.scripts.clear()
        self.received.clear()

    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = call.method.rpartition("/")[2]

        async def handle(request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
            self.received[method].append(request)
            scripts = self.scripts[method]
            if not scripts:
                return await self._forward(call.method, request, context)
            script = scripts[0] if scripts[0].get("always") else scripts.popleft()
            if script.get("hang"):
                await asyncio.sleep(_HANG_SECONDS)
            if "error" in script:
                await abort(context, script["error"])
            response = build_response(method, script.get("response", {}))
            if script.get("unknown_fields"):
                add_unknown_fields(response)
            return response.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(handle)

    async def _forward(self, path: str, request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(path)
        try:
            return await call(request, timeout=context.time_remaining())
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))


async def abort(context: "grpc.aio.ServicerContext[bytes, bytes]", error: dict[str, Any]) -> None:
    """`status` is required; `reason`, `domain`, `metadata`, `fields`, `retry_after_ms`, `pushback_ms` are optional."""
    code = grpc.StatusCode[error["status"]]
    details: list[Message] = []
    if "reason" in error:
        domain = error.get("domain", "twofactor")
        details.append(ErrorInfo(reason=error["reason"], domain=domain, metadata=error.get("metadata", {})))
    if "fields" in error:
        violations = [BadRequest.FieldViolation(field=path, description="malformed") for path in error["fields"]]
        details.append(BadRequest(field_violations=violations))
    if "retry_after_ms" in error:
        delay = Duration()
        delay.FromMilliseconds(error["retry_after_ms"])
        details.append(RetryInfo(retry_delay=delay))
    trailers: list[tuple[str, str | bytes]] = []
    if details:
        status = Status(code=code.value[0], message="refused", details=[_pack(detail) for detail in details])
        trailers.append(("grpc-status-details-bin", status.SerializeToString()))
    if "pushback_ms" in error:
        trailers.append(("grpc-retry-pushback-ms", str(error["pushback_ms"])))
    await context.abort(code, "refused", tuple(trailers))


def add_unknown_fields(message: Message) -> None:
    """Add a field that the contract does not have, to the message and to every nested message."""
    message.MergeFromString(_UNKNOWN_FIELD)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for nested in value if field.is_repeated else (value,):
                add_unknown_fields(nested)


def _pack(message: Message) -> AnyMessage:
    packed = AnyMessage()
    packed.Pack(message)
    return packed


@contextlib.asynccontextmanager
async def start_proxy(channel: grpc.aio.Channel) -> AsyncIterator[tuple[ScriptedProxy, str]]:
    """The proxy and its address; `channel` leads to the server."""
    proxy = ScriptedProxy(channel)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([proxy])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield proxy, f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
