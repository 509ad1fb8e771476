"""The running PostgreSQL: our child, in the foreground."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from .binaries import Binaries
from .command import command_as, environment
from .errors import EmbeddedPostgresError
from .home import Home
from .leftovers import recorded_pid
from .socket_folder import PORT

_START_SECONDS = 300.0  # replaying the log of a killed server takes its time
_FAST_STOP_SECONDS = 30.0
_IMMEDIATE_STOP_SECONDS = 5.0
_LARGEST_LOG_BYTES = 16 * 1024 * 1024

_SETTINGS = {
    "listen_addresses": "",  # no TCP
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "warning",
    # Without the details, which quote rows.
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


class PostgresProcess:
    """One PostgreSQL, started by `start`, from then on alive or dead, never started again."""

    def __init__(self, home: Home, child: subprocess.Popen[bytes], log_start: int) -> None:
        self._home = home
        self._child = child
        self._log_start = log_start

    @classmethod
    def start(cls, home: Home, binaries: Binaries, socket_folder: Path, settings: Mapping[str, str]) -> Self:
        """Start it and wait until it takes connections. `settings` win over our own.

        On Linux it stops when the thread that called this ends, in whatever way. Raises EmbeddedPostgresError
        with PostgreSQL's own words when it does not come up.
        """
        command: list[str | Path] = [binaries.postgres, "-D", home.data]
        for name, value in {**_SETTINGS, "unix_socket_directories": f'"{socket_folder}"', **settings}.items():
            command += ["-c", f"{name}={value}"]
        log_file = _open_log(home.log_file)
        try:
            log_start = os.fstat(log_file).st_size
            process = cls(home, _spawn(home, command, log_file), log_start)
        finally:
            os.close(log_file)
        try:
            process._wait_until_ready()
        except BaseException:
            process.stop()
            raise
        return process

    @property
    def pid(self) -> int:
        return self._child.pid

    def poll(self) -> int | None:
        """None while it runs; then its exit status, or the negative number of the signal it died of."""
        return self._child.poll()

    def stop(self) -> None:
        """Stop it: open transactions are rolled back, a checkpoint is written. Harder after 30 s."""
        for step, seconds in (
            (signal.SIGINT, _FAST_STOP_SECONDS),
            (signal.SIGQUIT, _IMMEDIATE_STOP_SECONDS),
            (signal.SIGKILL, None),
        ):
            self._child.send_signal(step)
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self.poll() is not None:
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {self._last_words()}")
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL was not ready after {_START_SECONDS:.0f} s; see {self._home.log_file}."
                )
            time.sleep(0.002)

    def _is_ready(self) -> bool:
        """`postmaster.pid`: the first line is the process, the eighth its state."""
        try:
            lines = (self._home.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _last_words(self) -> str:
        with self._home.log_file.open("rb") as log_file:
            log_file.seek(self._log_start)
            lines = log_file.read().decode(errors="replace").split("\n")
        fatal = [line.split(": ", 1)[1].strip() for line in lines if "FATAL: " in line or "PANIC: " in line]
        return " ".join(fatal or [line for line in lines if line][-3:]) or f"exit status {self.poll()}."


def _spawn(home: Home, command: list[str | Path], log_file: int) -> subprocess.Popen[bytes]:
    stale = recorded_pid(home.data)
    # PostgreSQL would take any living process of this number for its predecessor, unless told that it is not
    # one; it still looks for processes that hold the predecessor's shared memory.
    known = {} if stale is None else {"PG_GRANDPARENT_PID": str(stale)}
    return subprocess.Popen(  # noqa: S603
        command_as(home.user, command, death_signal=signal.SIGINT),
        stdin=subprocess.DEVNULL,
        stdout=log_file,
        stderr=log_file,
        cwd=home.folder,
        env=environment(**known),
        # Ctrl-C in a terminal is for the server, which stops the database last.
        start_new_session=True,
    )


def _open_log(log_file: Path) -> int:
    if log_file.exists() and log_file.stat().st_size > _LARGEST_LOG_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
    return os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
