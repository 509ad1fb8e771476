"""The PostgreSQL process: a child in the foreground; and the processes that an earlier, killed server left behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from .binaries import Binaries
from .cluster_dir import PORT, ClusterDir
from .errors import EmbeddedPostgresError
from .user import clean_environment

_START_SECONDS = 300.0  # crash recovery replays the write-ahead log
_FAST_STOP_SECONDS = 30.0
_IMMEDIATE_STOP_SECONDS = 5.0
_MAX_LOG_BYTES = 16 * 1024 * 1024

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
    # The details quote rows.
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
# A fast shutdown writes a checkpoint, an immediate one leaves the log to be replayed, and SIGKILL is like a power cut.
_ORPHAN_STOP_STEPS = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))


class PostgresProcess:
    """One run of PostgreSQL, from ``start`` to its end. It is not restarted."""

    def __init__(self, cluster_dir: ClusterDir, child: subprocess.Popen[bytes], log_start: int) -> None:
        self._cluster_dir = cluster_dir
        self._child = child
        self._log_start = log_start

    @classmethod
    def start(
        cls, cluster_dir: ClusterDir, binaries: Binaries, socket_folder: Path, settings: Mapping[str, str]
    ) -> Self:
        """Start it and wait until it accepts connections. ``settings`` override the defaults.

        On Linux it stops when the thread that called this ends, for any reason. Raises EmbeddedPostgresError with
        PostgreSQL's own message if it does not start.
        """
        command: list[str | Path] = [binaries.postgres, "-D", cluster_dir.data]
        for name, value in {**_SETTINGS, "unix_socket_directories": f'"{socket_folder}"', **settings}.items():
            command += ["-c", f"{name}={value}"]
        log_file = _open_log(cluster_dir.log_file)
        try:
            log_start = os.fstat(log_file).st_size
            process = cls(cluster_dir, _spawn(cluster_dir, command, log_file), log_start)
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
        """None while it runs; then its exit status, or the negative number of the signal that killed it."""
        return self._child.poll()

    def stop(self) -> None:
        """Roll back open transactions, write a checkpoint, and stop. After 30 s, stop immediately."""
        for signum, seconds in (
            (signal.SIGINT, _FAST_STOP_SECONDS),
            (signal.SIGQUIT, _IMMEDIATE_STOP_SECONDS),
            (signal.SIGKILL, None),
        ):
            self._child.send_signal(signum)
            try:
                self._child.wait(seconds)
            except subprocess.TimeoutExpired:
                continue
            return

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready():
            if self.poll() is not None:
                raise EmbeddedPostgresError(f"PostgreSQL did not start: {self._last_messages()}")
            if time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL was not ready after {_START_SECONDS:.0f} s; see {self._cluster_dir.log_file}."
                )
            time.sleep(0.002)

    def _is_ready(self) -> bool:
        """In ``postmaster.pid`` the first line is the pid, and the eighth the state."""
        try:
            lines = (self._cluster_dir.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(self.pid) and lines[7].strip() == "ready"

    def _last_messages(self) -> str:
        with self._cluster_dir.log_file.open("rb") as log_file:
            log_file.seek(self._log_start)
            lines = log_file.read().decode(errors="replace").split("\n")
        fatal = [line.split(": ", 1)[1].strip() for line in lines if "FATAL: " in line or "PANIC: " in line]
        return " ".join(fatal or [line for line in lines if line][-3:]) or f"exit status {self.poll()}."


def stop_orphans(data: Path, log: Callable[[str], None]) -> None:
    """Wait until no process of an earlier run uses ``data``, stopping those that do.

    Call this with the lock of the cluster's folder held: then no server owns the processes that are found.
    """
    postmaster = _recorded_pid(data)
    pids = _processes_using(data)
    if not pids:
        return
    log(f"Waiting for the PostgreSQL of an earlier run to stop (processes {_listed(pids)}).")
    # Without a postmaster, its children finish nothing useful, and some do not notice: stop them immediately.
    for signum, seconds in _ORPHAN_STOP_STEPS if postmaster in pids else _ORPHAN_STOP_STEPS[1:]:
        # The postmaster forwards the signal. Sent to its children, SIGINT would only cancel their statements.
        for pid in pids & {postmaster} if postmaster in pids and signum != signal.SIGKILL else pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signum)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            pids = _processes_using(data)
            if not pids:
                return
            time.sleep(0.02)
    raise EmbeddedPostgresError(
        f"The PostgreSQL of an earlier run does not stop: end the processes {_listed(pids)} and try again."
    )


def _spawn(cluster_dir: ClusterDir, command: list[str | Path], log_file: int) -> subprocess.Popen[bytes]:
    stale = _recorded_pid(cluster_dir.data)
    # PostgreSQL assumes that a living process with the recorded pid is its predecessor, unless this variable excludes
    # that pid. It still looks for processes that use the predecessor's shared memory.
    extra = {} if stale is None else {"PG_GRANDPARENT_PID": str(stale)}
    return subprocess.Popen(  # noqa: S603
        cluster_dir.user.command(command, parent_death_signal=signal.SIGINT),
        stdin=subprocess.DEVNULL,
        stdout=log_file,
        stderr=log_file,
        cwd=cluster_dir.folder,
        env=clean_environment(**extra),
        # Ctrl-C in the terminal must reach the server only, which stops the database last.
        start_new_session=True,
    )


def _open_log(log_file: Path) -> int:
    if log_file.exists() and log_file.stat().st_size > _MAX_LOG_BYTES:
        log_file.replace(log_file.with_suffix(".log.1"))
    return os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def _recorded_pid(data: Path) -> int | None:
    """The pid in ``postmaster.pid``; None without the file."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def _listed(pids: set[int]) -> str:
    return ", ".join(map(str, sorted(pids)))


def _processes_using(data: Path) -> set[int]:
    return _by_working_directory(data) if sys.platform == "linux" else _by_command_line(data)


def _by_working_directory(data: Path) -> set[int]:
    """Every process of PostgreSQL has its data directory as its working directory. A pid alone may be reused."""
    pids = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            uses_data = os.readlink(process / "cwd") == str(data)
            if uses_data and (process / "comm").read_text().startswith("postgres"):
                pids.add(int(process.name))
        except OSError:  # the process has ended, or belongs to another user
            continue
    return pids


def _by_command_line(data: Path) -> set[int]:
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pid=,command="], capture_output=True, text=True, errors="replace", check=True
    ).stdout
    lines = (line.split(None, 1) for line in listing.splitlines())
    return {int(pid) for pid, *command in lines if command and f"postgres -D {data} " in command[0]}
