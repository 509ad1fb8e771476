"""Client processes that make calls at the same moment, and the outcome of each call."""

import asyncio
import base64
import contextlib
import json
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from tests.support.rpc import METHOD_OF_REQUEST, path_of

PROCESSES = 4
_ROOT = Path(__file__).parent.parent.parent
_LINE_LIMIT = 1 << 22


@dataclass(frozen=True)
class Outcome:
    """The outcome of one call. ``reason`` is empty for a success; ``response`` is None for a refusal.

    ``overloaded`` counts the attempts that were rejected as OVERLOADED before.
    """

    reason: str
    response: Any = field(repr=False)
    metadata: dict[str, str]
    overloaded: int

    @property
    def succeeded(self) -> bool:
        """Whether the call was answered with success."""
        return self.response is not None


class ClientPool:
    """Client processes, each with its own channels. They are started once and used many times."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes

    async def call_at_once(self, requests: Sequence[Message]) -> list[Outcome]:
        """Make all calls at once, distributed over the processes at random; the outcomes are in the given order."""
        order = list(range(len(requests)))
        random.shuffle(order)
        shares = [order[start :: len(self._processes)] for start in range(len(self._processes))]
        busy = [(process, share) for process, share in zip(self._processes, shares, strict=True) if share]
        for process, share in busy:
            _write(process, [_encoded(requests[number]) for number in share])
        for process, _ in busy:
            assert await _read(process) == "ready"
        for process, _ in busy:
            _write(process, "go")
        outcomes: dict[int, Outcome] = {}
        for process, share in busy:
            results = await _read(process)
            outcomes |= {
                number: _outcome(requests[number], result) for number, result in zip(share, results, strict=True)
            }
        return [outcomes[number] for number in range(len(requests))]


@contextlib.asynccontextmanager
async def client_pool(address: str) -> AsyncIterator[ClientPool]:
    """Run client processes against the server at ``address`` for the duration of the block."""
    command = [sys.executable, "-m", "tests.concurrency.client_process", address]
    processes = [
        await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdin=PIPE, stdout=PIPE, limit=_LINE_LIMIT)
        for _ in range(PROCESSES)
    ]
    try:
        yield ClientPool(processes)
    finally:
        for process in processes:
            assert process.stdin
            process.stdin.close()
        await asyncio.gather(*(process.wait() for process in processes))


def reasons(outcomes: Iterable[Outcome]) -> Counter[str]:
    """How many calls ended for each reason; successes count under the empty reason."""
    return Counter(outcome.reason for outcome in outcomes)


def responses(outcomes: Iterable[Outcome]) -> list[Any]:
    """The responses of the calls that succeeded."""
    return [outcome.response for outcome in outcomes if outcome.succeeded]


def _encoded(request: Message) -> list[str]:
    method = METHOD_OF_REQUEST[request.DESCRIPTOR.full_name]
    return [path_of(method), base64.b64encode(request.SerializeToString()).decode()]


def _outcome(request: Message, result: dict[str, Any]) -> Outcome:
    if "reason" in result:
        return Outcome(result["reason"], None, result["metadata"], result["overloaded"])
    response = GetMessageClass(METHOD_OF_REQUEST[request.DESCRIPTOR.full_name].output_type)()
    response.ParseFromString(base64.b64decode(result["response"]))
    return Outcome("", response, {}, result["overloaded"])


def _write(process: Process, content: Any) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(content).encode() + b"\n")


async def _read(process: Process) -> Any:
    assert process.stdout
    line = await process.stdout.readline()
    assert line, "a client process died; its error is above"
    return json.loads(line)
