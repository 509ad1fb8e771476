"""A wire between client and server that can swallow an answer."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine, Sequence
from dataclasses import dataclass

from tests.faults.wire import Ends, pour, wire

_HEADERS = 1
_END_STREAM = 1


@dataclass
class AnswerWire:
    """Armed, it lets the next call through to the server, waits for its answer, swallows it, and breaks."""

    armed: bool = False

    @contextlib.asynccontextmanager
    async def to(self, address: str) -> AsyncIterator[str]:
        """The address to call instead."""
        host, _, port = address.rpartition(":")
        async with wire(lambda: asyncio.open_connection(host, int(port)), self._pumps) as near:
            yield f"127.0.0.1:{near}"

    def _pumps(self, ends: Ends) -> Sequence[Coroutine[None, None, None]]:
        return pour(ends.near, ends.far), self._answers(ends)

    async def _answers(self, ends: Ends) -> None:
        """Frame by frame (RFC 9113 §4.1): an answer is whole when a HEADERS frame ends its stream."""
        while True:
            head = await ends.far[0].readexactly(9)
            body = await ends.far[0].readexactly(int.from_bytes(head[:3], "big"))
            if not self.armed:
                ends.near[1].write(head + body)
                await ends.near[1].drain()
            elif head[3] == _HEADERS and head[4] & _END_STREAM:
                self.armed = False
                return
