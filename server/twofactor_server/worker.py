"""One server process. It is started by exec, because a process must not fork after importing grpc.

Its standard input is a pipe from the supervisor that carries no data; when it closes, the supervisor has died, and
the worker stops. It writes "ready" to standard output when the health service answers SERVING.
"""

import asyncio
import contextlib
import logging
import signal
import sys

from twofactor_server import app
from twofactor_server.settings import Settings, SettingsError

READY = b"ready\n"


def main(settings: Settings, *, share_port: bool) -> int:
    """Serve until SIGTERM. Returns the exit status; if the server cannot start, prints why."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Ctrl-C signals every process of the terminal. The supervisor handles it and sends SIGTERM.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        import uvloop

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve(settings, share_port=share_port))
    except app.CANNOT_START as error:
        print(f"twofactor: {error}", file=sys.stderr)
        return 2
    return 0


async def _serve(settings: Settings, *, share_port: bool) -> None:
    if settings.database_url is None:
        raise SettingsError(["a worker needs TWOFACTOR_DATABASE_URL, which its supervisor sets: run twofactor serve."])
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    supervisor_exit = asyncio.create_task(_wait_for_end_of_input())
    supervisor_exit.add_done_callback(lambda _: stop.set())
    async with app.running(settings, settings.database_url, share_port=share_port) as server:
        await server.start(str(settings.listen))
        sys.stdout.buffer.write(READY)
        sys.stdout.buffer.flush()
        await stop.wait()
    supervisor_exit.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await supervisor_exit


async def _wait_for_end_of_input() -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        await reader.read()
    finally:
        transport.close()
