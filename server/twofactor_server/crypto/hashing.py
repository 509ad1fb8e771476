"""Argon2id outside the event loop: a bounded queue in front of a low-priority thread pool.

One Argon2id hash takes tens of milliseconds of one core and releases the GIL. When the queue is full, callers get
OVERLOADED at once. A job whose deadline has passed is dropped without hashing: its result would arrive too late and
delay the next one.
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
"""Slots in addition to one per thread: enough to keep the threads busy, few enough to keep the wait short."""

_NICENESS = 10
_RETRY_AFTER = timedelta(seconds=1)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Argon2Parameters:
    """The defaults are OWASP's minimum for Argon2id: 19 MiB, 2 passes, 1 lane."""

    memory_kib: int = 19456
    time: int = 2
    parallelism: int = 1


@dataclass(frozen=True, slots=True)
class NewBackupCode:
    """A new backup code and its Argon2id hash (a PHC string)."""

    code: str = field(repr=False)
    code_hash: str = field(repr=False)


class Argon2id:
    """The blocking operations. ``operations`` counts them, so that tests can compare the work behind two answers."""

    def __init__(self, parameters: Argon2Parameters) -> None:
        self._hasher = PasswordHasher(
            time_cost=parameters.time,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.parallelism,
        )
        self._parameters = parameters
        self._count_lock = threading.Lock()
        self.operations = 0
        # Hashed with the current parameters. A constant would keep old ones, and its timing would reveal which
        # accounts exist.
        self.decoy = self._hasher.hash(new_backup_code())

    def hash(self, secret: str) -> str:
        """The PHC string, with a fresh 128-bit salt."""
        self._count()
        return self._hasher.hash(secret)

    def verify(self, phc: str, secret: str) -> bool:
        """Whether ``phc`` is a hash of ``secret``."""
        self._count()
        try:
            return self._hasher.verify(phc, secret)
        except (VerificationError, InvalidHashError):
            return False

    def is_outdated(self, phc: str) -> bool:
        """Whether the current parameters require more memory or time than ``phc`` was hashed with."""
        used = extract_parameters(phc)
        return used.memory_cost < self._parameters.memory_kib or used.time_cost < self._parameters.time

    def new_backup_code(self) -> NewBackupCode:
        """A new code, already hashed."""
        code = new_backup_code()
        return NewBackupCode(code, self.hash(code))

    def verify_and_replace(self, phc: str, code: str) -> NewBackupCode | None:
        """Verify, and generate the next code only if this one is correct. One job, so the caller queues once."""
        return self.new_backup_code() if self.verify(phc, code) else None

    def _count(self) -> None:
        with self._count_lock:
            self.operations += 1


@dataclass(slots=True)
class _SlotState:
    """Shared by all calls that hold the same slot."""

    calls: int = 0
    jobs: dict[Hashable, "asyncio.Future[Any]"] = field(default_factory=dict)


class Slot:
    """A reserved slot of the queue. Calls with the same key share the slot and the results of equal jobs."""

    def __init__(self, executor: ThreadPoolExecutor, state: _SlotState, on_job_done: Callable[[], None]) -> None:
        self._executor = executor
        self._state = state
        self._on_job_done = on_job_done

    async def run(self, job: Callable[[], T], deadline: float, key: Hashable = None) -> T:
        """The result of ``job``, which runs once per ``key`` for all holders of this slot.

        Raises DeadlinePassed after ``deadline`` (on ``time.monotonic``). A cancelled caller does not stop the job:
        other callers may wait for it, and a thread cannot be interrupted.
        """
        while True:
            future = self._state.jobs.get(key)
            if future is None:
                future = asyncio.get_running_loop().run_in_executor(self._executor, _run_before, deadline, job)
                future.add_done_callback(_retrieve_exception)
                future.add_done_callback(lambda _: self._on_job_done())
                self._state.jobs[key] = future
            try:
                result: T = await asyncio.shield(future)
                return result
            except DeadlinePassed:
                # This was the deadline of the call that queued the job. If ours is later, queue the job again.
                if self._state.jobs.get(key) is future:
                    del self._state.jobs[key]
                if time.monotonic() >= deadline:
                    raise


class HashingQueue:
    """Reserves slots, and runs jobs on ``threads`` threads."""

    def __init__(self, argon2id: Argon2id, threads: int) -> None:
        self.argon2id = argon2id
        self._executor = ThreadPoolExecutor(threads, "argon2id", initializer=_lower_priority)
        self._free = threads + QUEUED
        self._slots: dict[Hashable, _SlotState] = {}

    @contextlib.contextmanager
    def reserve(self, key: Hashable = None) -> Iterator[Slot]:
        """Hold a slot during the block, shared with every call that holds one under the same key.

        Raises OVERLOADED if no slot is free. Callers reserve before they record an attempt, so an overloaded call
        costs its owner nothing.
        """
        slot_key = object() if key is None else key
        state = self._slots.get(slot_key)
        if state is None:
            if self._free <= 0:
                raise Refusal(Reason.OVERLOADED, retry_after=_RETRY_AFTER)
            self._free -= 1
            state = self._slots[slot_key] = _SlotState()
        state.calls += 1
        try:
            yield Slot(self._executor, state, partial(self._free_if_idle, slot_key, state))
        finally:
            state.calls -= 1
            self._free_if_idle(slot_key, state)

    @contextlib.contextmanager
    def release_temporarily(self) -> Iterator[None]:
        """Let other callers use the slot that the caller holds but does not need during the block.

        The slot is re-acquired unconditionally, so the queue may briefly exceed its limit; a recorded attempt must
        be able to finish.
        """
        self._free += 1
        try:
            yield
        finally:
            self._free -= 1

    def _free_if_idle(self, key: Hashable, state: _SlotState) -> None:
        """Free the slot when no call holds it and no job runs in it.

        The job of a cancelled caller still occupies a thread; freeing its slot would let the queue grow past its
        limit.
        """
        idle = state.calls == 0 and all(job.done() for job in state.jobs.values())
        if idle and self._slots.get(key) is state:
            del self._slots[key]
            self._free += 1

    def close(self) -> None:
        """Wait for running jobs and drop queued ones."""
        self._executor.shutdown(wait=True, cancel_futures=True)


def _run_before(deadline: float, job: Callable[[], T]) -> T:
    if time.monotonic() >= deadline:
        raise DeadlinePassed
    return job()


def _retrieve_exception(future: "asyncio.Future[Any]") -> None:
    """Prevent asyncio's "exception was never retrieved" warning for a job whose callers were all cancelled."""
    if not future.cancelled():
        future.exception()


def _lower_priority() -> None:
    """The event loop goes first: it answers hundreds of calls in the time of one hash."""
    with contextlib.suppress(OSError, AttributeError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
