"""One client process of a `ClientPool`: it receives calls, waits for the start signal, and makes all of them at once.

The protocol is lines of JSON on standard input and output: in ``[[method, request], …]``, out ``"ready"``; in ``"go"``,
out ``[{…}, …]`` with one result per call. Messages are base64 and are not decoded here.
"""

import asyncio
import base64
import contextlib
import json
import random
import sys
from typing import Any

import grpc

from tests.support.rpc import refusal_from

Stub = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

CHANNELS = 4
TIMEOUT = 15.0
"""Seconds for one call, far more than any call takes."""

_OPTIONS = (
    # Without it, channels to one address share one connection, and so one server process.
    ("grpc.use_local_subchannel_pool", 1),
    # The tests must see each answer of the server; only `_call` retries.
    ("grpc.enable_retries", 0),
)


async def main(address: str) -> None:
    """Make calls until the input ends."""
    async with contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(address, options=_OPTIONS))
            for _ in range(CHANNELS)
        ]
        await asyncio.gather(*(channel.channel_ready() for channel in channels))
        while calls := json.loads(await _read_line() or "null"):
            prepared: list[tuple[Stub, bytes]] = [
                (_stub(channels[number % CHANNELS], method), base64.b64decode(request))
                for number, (method, request) in enumerate(calls)
            ]
            _write("ready")
            assert json.loads(await _read_line()) == "go"
            _write(await asyncio.gather(*(_call(stub, request) for stub, request in prepared)))


def _stub(channel: grpc.aio.Channel, method: str) -> Stub:
    return channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)


async def _call(stub: Stub, request: bytes) -> dict[str, Any]:
    """Make one call. OVERLOADED means that nothing was done or charged, so the call is repeated after its retry delay,
    with jitter: calls that were rejected together would be rejected together again."""
    overloaded = 0
    while True:
        try:
            response = await stub(request, timeout=TIMEOUT)
        except grpc.aio.AioRpcError as error:
            refusal = refusal_from(error)
            if refusal.reason != "OVERLOADED":
                reason = refusal.reason or refusal.code.name
                return {"reason": reason, "metadata": refusal.metadata, "overloaded": overloaded}
            assert refusal.retry_after is not None
            overloaded += 1
            await asyncio.sleep(refusal.retry_after * random.uniform(1.0, 1.5))
        else:
            return {"response": base64.b64encode(response).decode(), "overloaded": overloaded}


async def _read_line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


def _write(content: Any) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
