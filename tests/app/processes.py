"""Servers that are started to be refused, and a look at the processes behind one."""

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

from tests.servers import PATIENCE, Server

SERVING = health_pb2.HealthCheckResponse.SERVING


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str


async def command(*arguments: str, **settings: str) -> Ended:
    """Run ``twofactor`` with these settings and no others, to its end."""
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
    """Status 2, one or more sentences for the operator, no traceback, and no password in them."""
    assert ended.status == 2, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "s3cret" not in ended.stderr
    assert "listening" not in ended.stdout
    (sentence,) = [line for line in ended.stderr.splitlines() if line.startswith("twofactor: ")]
    for word in words:
        assert word in sentence


async def until(holds: Callable[[], bool] | Callable[[], Awaitable[bool]], what: str) -> None:
    """Wait until it holds."""
    deadline = time.monotonic() + PATIENCE
    while True:
        answer = holds()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        await asyncio.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether the process has ended, be it reaped or not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def descendants(pid: int) -> dict[int, str]:
    """The process's children, their children and so on: each with its command line."""
    found: dict[int, str] = {}
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found[child] = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            found |= descendants(child)
    return found


async def health(channel: grpc.aio.Channel) -> int:
    """What the health service says of the whole server."""
    request = health_pb2.HealthCheckRequest()
    check = health_pb2_grpc.HealthStub(channel).Check  # type: ignore[attr-defined]
    answer = await check(request, wait_for_ready=True, timeout=PATIENCE)
    status: int = answer.status
    return status


class SelfContained(Server):
    """A server that keeps its database in its data folder."""

    def _environment(self) -> dict[str, str]:
        environment = super()._environment()
        del environment["TWOFACTOR_DATABASE_URL"]
        return environment
