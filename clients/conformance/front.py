"""A server in front of the real one: it hands calls on, unless it was told to answer otherwise.

It stands for servers that are newer than the client, overloaded, away for a moment, or silent.
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

from clients.conformance.contract import response_of

Script = dict[str, Any]

_SILENCE = 60.0
# Field 2000, text: no message of the contract has it yet.
_UNKNOWN_FIELD = b"\x82\x7d\x05newer"


class Front(grpc.GenericRpcHandler):
    """What it was told, and what it has received since it was last reset."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._channel = channel
        self.scripts: dict[str, deque[Script]] = defaultdict(deque)
        self.received: dict[str, list[bytes]] = defaultdict(list)

    def reset(self) -> None:
        """Forget both."""
        self.scripts.clear()
        self.received.clear()

    def service(self, call: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[bytes, bytes]":
        method = call.method.rpartition("/")[2]

        async def handle(request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
            self.received[method].append(request)
            scripts = self.scripts[method]
            if not scripts:
                return await self._hand_on(call.method, request, context)
            script = scripts[0] if scripts[0].get("always") else scripts.popleft()
            if script.get("silent"):
                await asyncio.sleep(_SILENCE)
            if "refuse" in script:
                await refuse(context, script["refuse"])
            response = response_of(method, script.get("answer", {}))
            if script.get("newer"):
                add_unknown_fields(response)
            return response.SerializeToString()

        return grpc.unary_unary_rpc_method_handler(handle)

    async def _hand_on(self, path: str, request: bytes, context: "grpc.aio.ServicerContext[bytes, bytes]") -> bytes:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = self._channel.unary_unary(path)
        try:
            return await call(request, timeout=context.time_remaining())
        except grpc.aio.AioRpcError as error:
            await context.abort(error.code(), error.details() or "", tuple(error.trailing_metadata() or ()))


async def refuse(context: "grpc.aio.ServicerContext[bytes, bytes]", told: dict[str, Any]) -> None:
    """`status`, and if told `reason`, `domain`, `metadata`, `fields`, `retry_after_ms`, `pushback_ms`."""
    code = grpc.StatusCode[told["status"]]
    details: list[Message] = []
    if "reason" in told:
        domain = told.get("domain", "twofactor")
        details.append(ErrorInfo(reason=told["reason"], domain=domain, metadata=told.get("metadata", {})))
    if "fields" in told:
        violations = [BadRequest.FieldViolation(field=path, description="of another form") for path in told["fields"]]
        details.append(BadRequest(field_violations=violations))
    if "retry_after_ms" in told:
        delay = Duration()
        delay.FromMilliseconds(told["retry_after_ms"])
        details.append(RetryInfo(retry_delay=delay))
    trailers: list[tuple[str, str | bytes]] = []
    if details:
        status = Status(code=code.value[0], message="refused", details=[packed(one) for one in details])
        trailers.append(("grpc-status-details-bin", status.SerializeToString()))
    if "pushback_ms" in told:
        trailers.append(("grpc-retry-pushback-ms", str(told["pushback_ms"])))
    await context.abort(code, "refused", tuple(trailers))


def add_unknown_fields(message: Message) -> None:
    """One field that no version has yet, in the message and in all that it holds."""
    message.MergeFromString(_UNKNOWN_FIELD)
    for field, value in message.ListFields():
        if field.message_type is not None:
            for held in value if field.is_repeated else (value,):
                add_unknown_fields(held)


def packed(message: Message) -> AnyMessage:
    held = AnyMessage()
    held.Pack(message)
    return held


@contextlib.asynccontextmanager
async def standing_before(channel: grpc.aio.Channel) -> AsyncIterator[tuple[Front, str]]:
    """The front and its address."""
    front = Front(channel)
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers([front])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield front, f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
