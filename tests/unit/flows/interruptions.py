"""Interrupting a call at a crash point: the client hangs up there, or the server dies there."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from tests.unit.flows.harness import FlowHarness
from twofactor_server.api.interceptors import CallRunner
from twofactor_server.domain.calls import Call
from twofactor_server.flows.transactions import TransactionName

Flow = Callable[[Call], Coroutine[Any, Any, Any]]


class ServerDied(Exception):
    """Nothing after this point was done."""


def points(*names: TransactionName) -> list[str]:
    """The crash points of these transactions."""
    return [point for name in names for point in (name.before, name.uncommitted, name.committed)]


async def hang_up_at(harness: FlowHarness, point: str, flow: Flow) -> None:
    """Run the call as the server does, for a client that hangs up at ``point``, to the end of what goes on after."""
    call, runner = harness.call(), CallRunner()
    client = asyncio.ensure_future(runner.run(call, flow(call)))
    reached: list[str] = []

    def hang_up(here: str) -> None:
        if here == point and not reached:
            reached.append(here)
            client.cancel()

    with _hook(harness, hang_up), contextlib.suppress(asyncio.CancelledError):
        await client
    await runner.drain()
    assert reached, f"the call never came to {point}"


async def die_at(harness: FlowHarness, point: str, flow: Flow) -> None:
    """Run the call on a server that dies at ``point``."""

    def die(here: str) -> None:
        if here == point:
            raise ServerDied

    with _hook(harness, die):
        try:
            await flow(harness.call())
        except ServerDied:
            return
    raise AssertionError(f"the call never came to {point}")


@contextlib.contextmanager
def _hook(harness: FlowHarness, hook: Callable[[str], None]) -> Any:
    harness.crash_hook = hook
    try:
        yield
    finally:
        harness.crash_hook = lambda _: None
