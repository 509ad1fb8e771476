"""Something fetched that stays good for as long as its Cache-Control says."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

LONGEST = timedelta(days=1)
UNSAID = timedelta(minutes=5)
"""Where no Cache-Control says how long it is good."""

_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,9})\"?")


class Fresh(Generic[T]):
    """Fetched once for all who ask at the same time, and again when it is over. A failed fetch keeps nothing."""

    def __init__(self, fetch: Callable[[], Awaitable[tuple[T, str]]], now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._fetching = asyncio.Lock()
        self._held: tuple[T, datetime, timedelta] | None = None

    async def get(self, unless_younger_than: timedelta | None = None) -> T:
        """What is held, if it is still good; with ``unless_younger_than``, if it is younger than that."""
        async with self._fetching:
            if self._held is not None:
                content, fetched, good_for = self._held
                wanted = good_for if unless_younger_than is None else unless_younger_than
                if self._now() < fetched + wanted:
                    return content
            fetched = self._now()
            content, cache_control = await self._fetch()
            self._held = (content, fetched, lifetime(cache_control))
            return content


def lifetime(cache_control: str) -> timedelta:
    """How long an answer with this Cache-Control is good; at most a day."""
    said = cache_control.lower()
    if "no-store" in said or "no-cache" in said:
        return timedelta(0)
    found = _MAX_AGE.search(said)
    return min(timedelta(seconds=int(found[1])), LONGEST) if found else UNSAID
