"""The supervisor: the data folder, the embedded database, and one server process per core that shares the port.

It imports neither grpc nor the database driver: it must start at once, and outlive whatever its workers die of.
"""

import asyncio
import contextlib
import signal
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from twofactor_server.listen import ListenAddress, parse_listen
from twofactor_server.postgres import DataFolderLock, EmbeddedPostgres, make_data_folder
from twofactor_server.settings import Settings

STOP_GRACE = 30.0
"""Seconds that workers are given to drain; more than they take for their longest call."""

_TICK = 0.25
_STEADY = 10.0
_LONGEST_PAUSE = 5.0


class CannotStart(Exception):
    """The server cannot start; the text is a sentence for the operator."""


@dataclass
class _Worker:
    process: asyncio.subprocess.Process
    started: float = field(default_factory=time.monotonic)


def main(settings: Settings, environment: Mapping[str, str]) -> int:
    """Run until SIGTERM or Ctrl-C. Returns the exit status."""
    make_data_folder(settings.data_dir)
    with DataFolderLock(settings.data_dir):
        if settings.database_url is not None:
            return asyncio.run(_Supervisor(settings, environment, settings.database_url, None).run())
        # Each worker's pool takes ten connections; the rest is for whoever looks at the database meanwhile.
        connections = {"max_connections": str(max(100, settings.workers * 10 + 20))}
        with EmbeddedPostgres(settings.data_dir, _say, settings=connections) as postgres:
            return asyncio.run(_Supervisor(settings, environment, postgres.url, postgres).run())


class _Supervisor:
    def __init__(
        self, settings: Settings, environment: Mapping[str, str], url: str, postgres: EmbeddedPostgres | None
    ) -> None:
        self._settings = settings
        self._environment = dict(environment) | {"TWOFACTOR_DATABASE_URL": url}
        self._postgres = postgres
        self._stop = asyncio.Event()
        self._workers: list[_Worker] = []
        # A unix socket cannot be shared as a port can.
        self._count = 1 if settings.listen.path else settings.workers

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop.set)
        with _reserved(self._settings.listen) as address:
            self._environment["TWOFACTOR_LISTEN"] = str(address)
            try:
                status = await self._start()
                if status is None:
                    _announce(self._settings, address)
                    await self._keep_running()
            finally:
                await self._stop_workers()
        return status or 0

    async def _start(self) -> int | None:
        """Start every worker and wait until all serve; the exit status of the first that refused to, if one did."""
        self._workers = [await self._spawn() for _ in range(self._count)]
        readings = [asyncio.create_task(_ready(worker)) for worker in self._workers]
        stopping = asyncio.create_task(self._stop.wait())
        try:
            for reading in readings:
                await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if self._stop.is_set():
                    return 0
                if not reading.result():
                    return await self._workers[readings.index(reading)].process.wait() or 1
        finally:
            for task in (*readings, stopping):
                task.cancel()
        return None

    async def _spawn(self) -> _Worker:
        # The supervisor holds the port, so even a single worker has to share it.
        sharing = [] if self._settings.listen.path else ["--share-port"]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "twofactor_server", "worker", *sharing,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=self._environment,
        )  # fmt: skip
        return _Worker(process)

    async def _keep_running(self) -> None:
        """Replace what dies, until told to stop."""
        pause = 0.1
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _TICK)
            if self._postgres and self._postgres.poll() is not None and not self._stop.is_set():
                _say("PostgreSQL died; starting it again.")
                self._postgres.start()
            for index, worker in enumerate(self._workers):
                if worker.process.returncode is None or self._stop.is_set():
                    continue
                steady = time.monotonic() - worker.started > _STEADY
                pause = 0.1 if steady else min(pause * 2, _LONGEST_PAUSE)
                _say(f"A server process ended ({worker.process.returncode}); starting another.")
                await asyncio.sleep(pause)
                self._workers[index] = await self._spawn()

    async def _stop_workers(self) -> None:
        running = [worker.process for worker in self._workers if worker.process.returncode is None]
        for process in running:
            process.terminate()
        if not running:
            return
        _, late = await asyncio.wait({asyncio.create_task(one.wait()) for one in running}, timeout=STOP_GRACE)
        if late:
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await asyncio.wait(late)


async def _ready(worker: _Worker) -> bool:
    stdout = worker.process.stdout
    return stdout is not None and await stdout.readline() == b"ready\n"


@contextlib.contextmanager
def _reserved(listen: ListenAddress) -> Iterator[ListenAddress]:
    """The address, with its port decided and held for our workers to share. Somebody else's: CannotStart."""
    if listen.path:
        # A socket file without a server is what a killed one leaves; grpc would take over one with a server as well.
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(listen.path) == 0:
                raise CannotStart(f"the address {listen} is in use.")
        yield listen
        return
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        # Without the sharing option first: with it, another server that shares would let us in beside it.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((listen.host, listen.port))
            port = probe.getsockname()[1]
        with socket.socket(family, socket.SOCK_STREAM) as holder:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            holder.bind((listen.host, port))
            yield parse_listen(f"[{listen.host}]:{port}")
    except OSError as error:
        raise CannotStart(f"the address {listen} cannot be used: {error.strerror}.") from error


def _announce(settings: Settings, address: ListenAddress) -> None:
    if settings.test_mode:
        _say("TEST MODE: the clock and crashes can be set from outside. Never use this with real accounts.")
    _say("No callers file: whoever reaches this address on this machine is granted every role.")
    if settings.smtp_url is None:
        _say(f"Mails are written to {settings.mail_folder}")
    print(f"listening on {address}", flush=True)


def _say(sentence: str) -> None:
    print(f"twofactor: {sentence}", file=sys.stderr, flush=True)
