"""A cache of one value that expires as its Cache-Control header says."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_TTL = timedelta(days=1)
DEFAULT_TTL = timedelta(minutes=5)
"""Without a max-age in Cache-Control."""

_MAX_AGE = re.compile(r"max-age\s*=\s*\"?(\d{1,9})\"?")


class TtlCache(Generic[T]):
    """Concurrent callers share one fetch. A failed fetch caches nothing.

    ``fetch`` returns the value and the Cache-Control header.
    """

    def __init__(self, fetch: Callable[[], Awaitable[tuple[T, str]]], now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._lock = asyncio.Lock()
        self._entry: tuple[T, datetime, timedelta] | None = None

    async def get(self, max_age: timedelta | None = None) -> T:
        """The cached value; fetched first if it expired, or, with ``max_age``, if it is older than that."""
        async with self._lock:
            if self._entry is not None:
                value, fetch_time, ttl = self._entry
                if self._now() < fetch_time + (ttl if max_age is None else max_age):
                    return value
            fetch_time = self._now()
            value, cache_control = await self._fetch()
            self._entry = (value, fetch_time, ttl_from(cache_control))
            return value


def ttl_from(cache_control: str) -> timedelta:
    """The max-age of a Cache-Control header, limited to MAX_TTL; zero for no-store and no-cache."""
    directives = cache_control.lower()
    if "no-store" in directives or "no-cache" in directives:
        return timedelta(0)
    max_age = _MAX_AGE.search(directives)
    return min(timedelta(seconds=int(max_age[1])), MAX_TTL) if max_age else DEFAULT_TTL
