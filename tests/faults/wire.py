"""A TCP wire that reads along."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Ends:
    """Both ends of one connection: who connected to us, and whom we connected to for it."""

    near: Streams
    far: Streams

    def cut(self) -> None:
        """Break the connection, as a pulled plug would."""
        for _, writer in (self.near, self.far):
            writer.transport.abort()


Pumps = Callable[[Ends], Sequence[Coroutine[None, None, None]]]


@contextlib.asynccontextmanager
async def wire(
    connect: Callable[[], Awaitable[Streams]], pumps: Pumps, tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Listen on a port of loopback, which is yielded. A connection lives until the first of its pumps ends."""
    serving: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        serving.add(task)
        task.add_done_callback(serving.discard)
        with contextlib.suppress(OSError, asyncio.CancelledError):
            ends = Ends((reader, writer), await connect())
            running = [asyncio.create_task(_until_broken(pump)) for pump in pumps(ends)]
            try:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            finally:
                ends.cut()
                for pump in running:
                    pump.cancel()
                await asyncio.gather(*running, return_exceptions=True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)


async def pour(source: Streams, drain: Streams) -> None:
    """Everything that comes, as it comes."""
    while data := await source[0].read(65536):
        drain[1].write(data)
        await drain[1].drain()


async def _until_broken(pump: Coroutine[None, None, None]) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await pump
