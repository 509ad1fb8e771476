"""One client process of a race: it is told its calls, waits for the starting signal, and makes all of them at once.

Lines of JSON on standard input and output: in ``[[method, request], …]``, out ``"ready"``; in ``"go"``, out
``[{…}, …]``, one answer a call. Messages travel as base64: this process carries them and does not look inside.
"""

import asyncio
import base64
import contextlib
import json
import random
import sys
from typing import Any

import grpc

from tests.refusals import Refused, refusal

Stub = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]

CHANNELS = 4
TIMEOUT = 15.0
"""Seconds for one call; none in a test comes near it."""

_OPTIONS = (
    # Without it, channels to one address share one connection, and so one server process.
    ("grpc.use_local_subchannel_pool", 1),
    # What the server says of a call is what the test is to see; the only retries are those of `_made`.
    ("grpc.enable_retries", 0),
)


async def main(address: str) -> None:
    """Race until the input ends."""
    async with contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(address, options=_OPTIONS))
            for _ in range(CHANNELS)
        ]
        await asyncio.gather(*(channel.channel_ready() for channel in channels))
        while calls := json.loads(await _next_line() or "null"):
            prepared: list[tuple[Stub, bytes]] = [
                (_stub(channels[number % CHANNELS], method), base64.b64decode(request))
                for number, (method, request) in enumerate(calls)
            ]
            _say("ready")
            assert json.loads(await _next_line()) == "go"
            _say(await asyncio.gather(*(_made(stub, request) for stub, request in prepared)))


def _stub(channel: grpc.aio.Channel, method: str) -> Stub:
    return channel.unary_unary(method, request_serializer=bytes, response_deserializer=bytes)


async def _made(stub: Stub, request: bytes) -> dict[str, Any]:
    """The call's answer. OVERLOADED means that nothing was done or charged: repeat the call after the time it names,
    and not all at once, or those who were refused together are refused together again."""
    overloaded = 0
    while True:
        try:
            response = await stub(request, timeout=TIMEOUT)
        except grpc.aio.AioRpcError as error:
            refused = refusal(error)
            if refused.reason != "OVERLOADED":
                return _refused(refused, overloaded)
            assert refused.retry_after is not None
            overloaded += 1
            await asyncio.sleep(refused.retry_after * random.uniform(1.0, 1.5))
        else:
            return {"response": base64.b64encode(response).decode(), "overloaded": overloaded}


def _refused(refused: Refused, overloaded: int) -> dict[str, Any]:
    return {
        "reason": refused.reason or refused.code.name,
        "metadata": refused.metadata,
        "overloaded": overloaded,
    }


async def _next_line() -> str:
    return await asyncio.to_thread(sys.stdin.readline)


def _say(content: Any) -> None:
    print(json.dumps(content), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
