"""Several client processes that make their calls at the same moment, and what came of each call."""

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

from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2

PROCESSES = 4
_ROOT = Path(__file__).parent.parent.parent
_LONGEST_LINE = 1 << 22
_METHODS = {
    method.input_type.full_name: method
    for file in (account_service_pb2, sign_in_service_pb2, two_factor_service_pb2)
    for service in file.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}
"""Each method has a request type of its own, so a request says where it goes."""


@dataclass(frozen=True)
class Outcome:
    """What came of one call. ``reason`` is empty for a success; ``answer`` is the response, None for a refusal."""

    reason: str
    answer: Any = field(repr=False)
    metadata: dict[str, str]
    overloaded: int

    @property
    def succeeded(self) -> bool:
        """The call was answered with success."""
        return self.answer is not None


class Racers:
    """Client processes, each with channels of its own; started once, raced many times."""

    def __init__(self, processes: Sequence[Process]) -> None:
        self._processes = processes

    async def race(self, requests: Sequence[Message]) -> list[Outcome]:
        """Make all calls at once, dealt to the processes in a random order; the outcomes in the order given."""
        order = list(range(len(requests)))
        random.shuffle(order)
        hands = [order[start :: len(self._processes)] for start in range(len(self._processes))]
        playing = [(process, hand) for process, hand in zip(self._processes, hands, strict=True) if hand]
        for process, hand in playing:
            _tell(process, [_call(requests[number]) for number in hand])
        for process, _ in playing:
            assert await _heard(process) == "ready"
        for process, _ in playing:
            _tell(process, "go")
        outcomes: dict[int, Outcome] = {}
        for process, hand in playing:
            answers = await _heard(process)
            outcomes |= {
                number: _outcome(requests[number], answer) for number, answer in zip(hand, answers, strict=True)
            }
        return [outcomes[number] for number in range(len(requests))]


@contextlib.asynccontextmanager
async def racing(address: str) -> AsyncIterator[Racers]:
    """Racers against the server at ``address``, for the time of the block."""
    command = [sys.executable, "-m", "tests.races.racer", address]
    processes = [
        await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdin=PIPE, stdout=PIPE, limit=_LONGEST_LINE)
        for _ in range(PROCESSES)
    ]
    try:
        yield Racers(processes)
    finally:
        for process in processes:
            assert process.stdin
            process.stdin.close()
        await asyncio.gather(*(process.wait() for process in processes))


def reasons(outcomes: Iterable[Outcome]) -> Counter[str]:
    """How many calls came out how; successes count under the empty reason."""
    return Counter(outcome.reason for outcome in outcomes)


def answers(outcomes: Iterable[Outcome]) -> list[Any]:
    """The responses of those that succeeded."""
    return [outcome.answer for outcome in outcomes if outcome.succeeded]


def _call(request: Message) -> list[str]:
    method = _METHODS[request.DESCRIPTOR.full_name]
    path = f"/{method.containing_service.full_name}/{method.name}"
    return [path, base64.b64encode(request.SerializeToString()).decode()]


def _outcome(request: Message, said: dict[str, Any]) -> Outcome:
    if "reason" in said:
        return Outcome(said["reason"], None, said["metadata"], said["overloaded"])
    response = GetMessageClass(_METHODS[request.DESCRIPTOR.full_name].output_type)()
    response.ParseFromString(base64.b64decode(said["response"]))
    return Outcome("", response, {}, said["overloaded"])


def _tell(process: Process, content: Any) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(content).encode() + b"\n")


async def _heard(process: Process) -> Any:
    assert process.stdout
    line = await process.stdout.readline()
    assert line, "a racing process died; what it said is above"
    return json.loads(line)
