"""Argon2id off the event loop: a bounded queue before a thread pool at low priority.

One Argon2id takes tens of milliseconds of a core and releases the GIL. Beyond the bound the answer is OVERLOADED
at once, and work whose deadline has passed is dropped unhashed: a late answer helps nobody and costs the next one.
"""

import asyncio
import contextlib
import os
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from twofactor_server.crypto.codes import new_backup_code
from twofactor_server.domain.calls import DeadlinePassed
from twofactor_server.domain.refusals import Reason, Refusal

QUEUED = 4
"""Places beyond the threads' own: enough to keep them busy, few enough to keep the wait short."""

_NICENESS = 10
_RETRY_AFTER = timedelta(seconds=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """OWASP's floor for Argon2id by default: 19 MiB, 2 passes, 1 lane."""

    memory_kib: int = 19456
    time: int = 2
    parallelism: int = 1


@dataclass(frozen=True, slots=True)
class Replacement:
    """A new backup code and its Argon2id hash (a PHC string)."""

    code: str = field(repr=False)
    code_hash: str = field(repr=False)


class Argon2id:
    """The blocking operations. ``operations`` counts them: equal work for unlike answers can be seen, not guessed."""

    def __init__(self, parameters: Argon2Parameters) -> None:
        self._hasher = PasswordHasher(
            time_cost=parameters.time,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.parallelism,
        )
        self._parameters = parameters
        self._counting = threading.Lock()
        self.operations = 0
        # Made now, with today's parameters: a baked-in hash drifts away from them and tells unknown accounts apart.
        self.decoy = self._hasher.hash(new_backup_code())

    def hash(self, secret: str) -> str:
        """The PHC string, with a fresh 128-bit salt."""
        self._count()
        return self._hasher.hash(secret)

    def verify(self, phc: str, secret: str) -> bool:
        """Whether ``secret`` was hashed to ``phc``."""
        self._count()
        try:
            return self._hasher.verify(phc, secret)
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, phc: str) -> bool:
        """Whether today's parameters ask more work, in any of them, than ``phc`` was made with."""
        made = extract_parameters(phc)
        return made.memory_cost < self._parameters.memory_kib or made.time_cost < self._parameters.time

    def new_backup_code(self) -> Replacement:
        """A fresh backup code and its hash."""
        code = new_backup_code()
        return Replacement(code, self.hash(code))

    def verify_and_replace(self, phc: str, code: str) -> Replacement | None:
        """One job for use: verify, and only if right make the replacement. A job of two saves a wait in the queue."""
        return self.new_backup_code() if self.verify(phc, code) else None

    def _count(self) -> None:
        with self._counting:
            self.operations += 1


@dataclass(slots=True)
class _Shared:
    """What the calls that share one place share: the place, and the jobs that run in it."""

    calls: int = 0
    jobs: dict[Hashable, "asyncio.Future[Any]"] = field(default_factory=dict)


class Place:
    """A reserved place in the queue. Calls with the same key share the place, and the result of equal jobs."""

    def __init__(self, executor: ThreadPoolExecutor, shared: _Shared, job_done: Callable[[], None]) -> None:
        self._executor = executor
        self._shared = shared
        self._job_done = job_done

    async def run(self, job: Callable[[], T], deadline: float, key: Hashable = None) -> T:
        """The job's result, once per ``key`` among those who share the place. Past the deadline: DeadlinePassed.

        The job outlives a cancelled caller: others may wait for it, and a thread cannot be stopped anyway.
        """
        while True:
            future = self._shared.jobs.get(key)
            if future is None:
                future = asyncio.get_running_loop().run_in_executor(self._executor, _in_time, job, deadline)
                future.add_done_callback(_look_at)
                future.add_done_callback(lambda _: self._job_done())
                self._shared.jobs[key] = future
            try:
                result: T = await asyncio.shield(future)
                return result
            except DeadlinePassed:
                # It was the deadline of the call that queued the job; ours may still be ahead.
                if self._shared.jobs.get(key) is future:
                    del self._shared.jobs[key]
                if time.monotonic() >= deadline:
                    raise


class HashingQueue:
    """Reserves places, and runs jobs on as many threads as there are cores."""

    def __init__(self, argon2id: Argon2id, threads: int) -> None:
        self.argon2id = argon2id
        self._executor = ThreadPoolExecutor(threads, "argon2id", initializer=_be_nice)
        self._free = threads + QUEUED
        self._shared: dict[Hashable, _Shared] = {}

    @contextlib.contextmanager
    def place(self, key: Hashable = None) -> Iterator[Place]:
        """A place for the time of the block, shared with every call that holds one under the same key.

        None free: OVERLOADED, and since this comes before any charge, nothing was charged.
        """
        own = object() if key is None else key
        shared = self._shared.get(own)
        if shared is None:
            if self._free <= 0:
                raise Refusal(Reason.OVERLOADED, retry_after=_RETRY_AFTER)
            self._free -= 1
            shared = self._shared[own] = _Shared()
        shared.calls += 1
        try:
            yield Place(self._executor, shared, partial(self._free_if_idle, own, shared))
        finally:
            shared.calls -= 1
            self._free_if_idle(own, shared)

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """For the time of the block, others may have a place that the caller holds and does not use.

        It is had again without asking: what was charged is carried to its end, even if the queue is then longer than
        its bound by those who come back.
        """
        self._free += 1
        try:
            yield
        finally:
            self._free -= 1

    def _free_if_idle(self, key: Hashable, shared: _Shared) -> None:
        """Give the place back once nobody holds it and no job runs in it: a cancelled caller's job still takes a
        thread, and a place freed too early would let the queue grow beyond its bound."""
        idle = shared.calls == 0 and all(job.done() for job in shared.jobs.values())
        if idle and self._shared.get(key) is shared:
            del self._shared[key]
            self._free += 1

    def close(self) -> None:
        """Finish the running jobs, drop the waiting ones."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _in_time(job: Callable[[], T], deadline: float) -> T:
    if time.monotonic() >= deadline:
        raise DeadlinePassed
    return job()


def _look_at(future: "asyncio.Future[Any]") -> None:
    """Read the outcome, so that a job whose callers all left does not complain of an exception never retrieved."""
    if not future.cancelled():
        future.exception()


def _be_nice() -> None:
    """Let the event loop go first: it answers hundreds of calls in the time of one hash."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
