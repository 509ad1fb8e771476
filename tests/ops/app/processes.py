"""Runs the command to its end, and inspects the processes of a server."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.support.mailbox import PATIENCE
from tests.support.servers import Server

SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass(frozen=True)
class Ended:
    """The result of a command."""

    status: int
    stdout: str
    stderr: str


async def command(*arguments: str, **settings: str) -> Ended:
    """Run ``twofactor`` to its end, with these settings and no others."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("TWOFACTOR_")}
    given = {f"TWOFACTOR_{name.upper()}": value for name, value in settings.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "twofactor_server",
        *arguments,
        env=inherited | given,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        stdout, stderr = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ended(process.returncode or 0, stdout.decode(), stderr.decode())


def check_refused(ended: Ended, *words: str) -> None:
    """Status 2 and one message for the operator, without a traceback or a password."""
    assert ended.status == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "s3cret" not in ended.stderr
    assert "listening" not in ended.stdout
    (sentence,) = [line for line in ended.stderr.splitlines() if line.startswith("twofactor: ")]
    for word in words:
        assert word in sentence


async def until(holds: Callable[[], bool] | Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def descendants(pid: int) -> dict[int, str]:
    """All descendants of the process, with their command lines."""
    found: dict[int, str] = {}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            found |= descendants(child)
    return found


async def health(channel: grpc.aio.Channel) -> int:
    """The health of the whole server."""
    request = health_pb2.HealthCheckRequest()
    check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
    answer = await check(request, wait_for_ready=True, timeout=PATIENCE)
    status: int = answer.status
    return status


class SelfContained(Server):
    """A server with an embedded database."""

    def _environment(self) -> dict[str, str]:
        environment = super()._environment()
        del environment["TWOFACTOR_DATABASE_URL"]
        return environment
