"""One driver: a process that does what a line tells it, and says what came of it."""

import asyncio
import contextlib
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

PATIENCE = 40.0
"""Seconds for one answer: more than any call may take with all its retries."""

_LONGEST_LINE = 1 << 20


class DriverFailed(Exception):
    """The driver ended, hung, or said something that is no answer."""


class Driver:
    """A running driver. One line at a time."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._read = 0

    async def ask(self, **line: Any) -> dict[str, Any]:
        """Its answer to this line. DriverFailed if none comes."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            self._process.stdin.write(json.dumps(line).encode() + b"\n")
            await self._process.stdin.drain()
            async with asyncio.timeout(PATIENCE):
                answer = await self._process.stdout.readline()
        except TimeoutError:
            self._process.kill()
            raise DriverFailed(f"no answer to {line['op']} within {PATIENCE:g} s") from None
        except (OSError, ValueError) as error:
            raise DriverFailed(f"{line['op']}: {error}") from None
        if not answer:
            raise DriverFailed(f"it ended at {line['op']}")
        try:
            said = json.loads(answer)
        except ValueError:
            raise DriverFailed(f"said {answer[:200]!r} to {line['op']}") from None
        if not isinstance(said, dict):
            raise DriverFailed(f"said {answer[:200]!r} to {line['op']}")
        return said

    def complaints(self) -> str:
        """What it has written to standard error since this was last asked."""
        with self._log.open(errors="replace") as log:
            log.seek(self._read)
            text = log.read()
            self._read = log.tell()
        return text

    @property
    def alive(self) -> bool:
        """Whether it can be asked."""
        return self._process.returncode is None


@contextlib.asynccontextmanager
async def driving(command: Sequence[str], folder: Path) -> AsyncIterator[Driver]:
    """The driver that this command starts in this folder, for the time of the block."""
    with tempfile.TemporaryDirectory(prefix="twofactor-driver-") as place:
        path = Path(place) / "stderr"
        with path.open("wb") as log:
            process = await asyncio.create_subprocess_exec(
                *command,
                cwd=folder,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                limit=_LONGEST_LINE,
            )
        try:
            yield Driver(process, path)
        finally:
            if process.stdin:
                process.stdin.close()
            try:
                async with asyncio.timeout(5):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
