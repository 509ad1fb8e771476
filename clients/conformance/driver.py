"""A running driver: the process through which the runner uses one client package."""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

REPLY_TIMEOUT = 40.0
"""Seconds. Longer than any call takes with all its retries."""

_MAX_LINE_BYTES = 1 << 20


class DriverFailed(Exception):
    """The driver exited, did not reply in time, or replied with something other than a JSON object."""


class Driver:
    """Exchanges one line at a time with the process."""

    def __init__(self, process: asyncio.subprocess.Process, stderr: Path) -> None:
        self._process = process
        self._stderr = stderr
        self._stderr_position = 0

    async def ask(self, **command: Any) -> dict[str, Any]:
        """Send a command and return the reply. Raises DriverFailed."""
        assert self._process.stdin
        assert self._process.stdout
        operation = command["op"]
        try:
            self._process.stdin.write(json.dumps(command).encode() + b"\n")
            await self._process.stdin.drain()
            async with asyncio.timeout(REPLY_TIMEOUT):
                line = await self._process.stdout.readline()
        except TimeoutError:
            self._process.kill()
            raise DriverFailed(f"no reply to {operation} within {REPLY_TIMEOUT:g} s") from None
        except (OSError, ValueError) as error:
            raise DriverFailed(f"{operation}: {error}") from None
        if not line:
            raise DriverFailed(f"the driver exited during {operation}")
        try:
            reply = json.loads(line)
        except ValueError:
            reply = None
        if not isinstance(reply, dict):
            raise DriverFailed(f"the reply to {operation} is not a JSON object: {line[:200]!r}")
        return reply

    def read_stderr(self) -> str:
        """What the driver has written to standard error since the last call."""
        with self._stderr.open(errors="replace") as file:
            file.seek(self._stderr_position)
            text = file.read()
            self._stderr_position = file.tell()
        return text

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None


@contextlib.asynccontextmanager
async def start_driver(command: Sequence[str], cwd: Path) -> AsyncIterator[Driver]:
    with tempfile.TemporaryDirectory(prefix="twofactor-driver-") as folder:
        stderr = Path(folder) / "stderr"
        with stderr.open("wb") as file:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=cwd,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=file,
                limit=_MAX_LINE_BYTES,
            )
        try:
            yield Driver(process, stderr)
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
