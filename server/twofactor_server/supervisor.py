"""The supervisor: owns the data folder and the embedded database, and runs the workers, which share one port.

It imports neither grpc nor the database driver, so that it starts fast and survives what may crash a worker.
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
"""Seconds for the workers to drain; longer than their longest call."""

_POLL_SECONDS = 0.25
_MIN_RESTART_DELAY = 0.1
_MAX_RESTART_DELAY = 5.0
_STABLE_SECONDS = 10.0
"""A worker that ran this long resets the restart delay."""


class CannotStart(Exception):
    """The message tells the operator why the server cannot start."""


@dataclass
class _Worker:
    process: asyncio.subprocess.Process
    start_time: float = field(default_factory=time.monotonic)


def main(settings: Settings, environment: Mapping[str, str]) -> int:
    """Run until SIGTERM or Ctrl-C. Returns the exit status."""
    make_data_folder(settings.data_dir)
    with DataFolderLock(settings.data_dir):
        if settings.database_url is not None:
            return asyncio.run(_Supervisor(settings, environment, settings.database_url, None).run())
        # Ten connections for the pool of each worker, and some for administrators.
        connections = {"max_connections": str(max(100, settings.workers * 10 + 20))}
        with EmbeddedPostgres(settings.data_dir, _log, settings=connections) as postgres:
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
        # Several processes can share a port, but not a Unix socket.
        self._worker_count = 1 if settings.listen.path else settings.workers

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop.set)
        with _reserve_address(self._settings.listen) as address:
            self._environment["TWOFACTOR_LISTEN"] = str(address)
            try:
                status = await self._start_workers()
                if status is None:
                    _announce(self._settings, address)
                    await self._keep_running()
            finally:
                await self._stop_workers()
        return status or 0

    async def _start_workers(self) -> int | None:
        """Start the workers and wait until all are ready. Returns the exit status of the first that could not start."""
        self._workers = [await self._spawn() for _ in range(self._worker_count)]
        ready_tasks = [asyncio.create_task(_is_ready(worker)) for worker in self._workers]
        stopping = asyncio.create_task(self._stop.wait())
        try:
            for worker, ready in zip(self._workers, ready_tasks, strict=True):
                await asyncio.wait({ready, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if self._stop.is_set():
                    return 0
                if not ready.result():
                    return await worker.process.wait() or 1
        finally:
            for task in (*ready_tasks, stopping):
                task.cancel()
        return None

    async def _spawn(self) -> _Worker:
        # The supervisor holds the port, so even a single worker must share it.
        options = [] if self._settings.listen.path else ["--share-port"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "twofactor_server", "worker", *options),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        return _Worker(process)

    async def _keep_running(self) -> None:
        """Restart PostgreSQL and workers that die, until a signal stops the server."""
        delay = _MIN_RESTART_DELAY
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stop.wait(), _POLL_SECONDS)
            if self._postgres and self._postgres.poll() is not None and not self._stop.is_set():
                _log("PostgreSQL died; restarting it.")
                self._postgres.start()
            for index, worker in enumerate(self._workers):
                if worker.process.returncode is None or self._stop.is_set():
                    continue
                stable = time.monotonic() - worker.start_time > _STABLE_SECONDS
                delay = _MIN_RESTART_DELAY if stable else min(delay * 2, _MAX_RESTART_DELAY)
                _log(f"A worker exited with status {worker.process.returncode}; starting another one.")
                await asyncio.sleep(delay)
                self._workers[index] = await self._spawn()

    async def _stop_workers(self) -> None:
        running = [worker.process for worker in self._workers if worker.process.returncode is None]
        for process in running:
            process.terminate()
        if not running:
            return
        _, pending = await asyncio.wait(
            {asyncio.create_task(process.wait()) for process in running}, timeout=STOP_GRACE
        )
        if pending:
            for process in running:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
            await asyncio.wait(pending)


async def _is_ready(worker: _Worker) -> bool:
    stdout = worker.process.stdout
    return stdout is not None and await stdout.readline() == b"ready\n"


@contextlib.contextmanager
def _reserve_address(listen: ListenAddress) -> Iterator[ListenAddress]:
    """Hold the address for the workers to share, and yield it with its final port. CannotStart if it is in use."""
    if listen.path:
        # A killed server leaves its socket file behind, and grpc replaces it. It would also replace one in use.
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(listen.path) == 0:
                raise CannotStart(f"the address {listen} is in use.")
        yield listen
        return
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        # First without SO_REUSEPORT: with it, binding succeeds even if another server shares this port.
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((listen.host, listen.port))
            port = probe.getsockname()[1]
        with socket.socket(family, socket.SOCK_STREAM) as shared:
            shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            shared.bind((listen.host, port))
            yield parse_listen(f"[{listen.host}]:{port}")
    except OSError as error:
        raise CannotStart(f"the address {listen} cannot be used: {error.strerror}.") from error


def _announce(settings: Settings, address: ListenAddress) -> None:
    if settings.test_mode:
        _log("TEST MODE: the clock can be changed and the server crashed from outside. Never use real accounts.")
    _log("No callers file: every process on this machine that can connect is granted every role.")
    if settings.smtp_url is None:
        _log(f"No SMTP server: mail is written to {settings.mail_folder}.")
    print(f"listening on {address}", flush=True)


def _log(message: str) -> None:
    print(f"twofactor: {message}", file=sys.stderr, flush=True)
