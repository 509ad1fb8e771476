"""How a call is interrupted: by a client that hangs up at the n-th await, by a server that dies at a point."""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from tests.flows.house import House

T = TypeVar("T")


class ServerDied(Exception):
    """Nothing after this point was done."""


class _HungUpAt:
    """Awaits a coroutine, and cancels it where it waits for the ``n``-th time, just as ``Task.cancel`` would: what it
    waits for is cancelled first, so that a work that is not shielded from its caller is cancelled as well."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], n: int) -> None:
        self._coroutine = coroutine
        self._left = n

    def __await__(self) -> Generator[Any, Any, Any]:
        awaited = self._coroutine.__await__()
        try:
            waits_for = next(awaited)
            while True:
                self._left -= 1
                if self._left == 0:
                    waits_for.cancel()
                yield waits_for
                waits_for = next(awaited)
        except StopIteration as done:
            return done.value


async def hung_up_at(coroutine: Coroutine[Any, Any, T], n: int) -> T | None:
    """Its result if it waits fewer than ``n`` times; None if it was cancelled where it waits for the ``n``-th time."""
    try:
        result: T = await _HungUpAt(coroutine, n)
        return result
    except asyncio.CancelledError:
        return None


async def died_at(house: House, point: str, make: Callable[[], Coroutine[Any, Any, T]]) -> None:
    """Run the call on a server that dies at ``point``."""

    def reached(here: str) -> None:
        if here == point:
            raise ServerDied

    house.reached = reached
    try:
        await make()
    except ServerDied:
        return
    finally:
        house.reached = lambda _: None
    raise AssertionError(f"the call never came to {point}")
