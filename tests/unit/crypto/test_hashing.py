"""The hashing queue is bounded, shares work between concurrent calls with one code, and drops late work."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from twofactor_server.crypto.hashing import QUEUED, Argon2id, Argon2Parameters, HashingQueue
from twofactor_server.domain.calls import DeadlinePassed
from twofactor_server.domain.refusals import Reason, Refusal

THREADS = 2
CHEAP = Argon2id(Argon2Parameters(memory_kib=64, time=1))
PATIENCE = 10.0


class Gate:
    """A job that signals its start, waits until ``opened``, and counts its runs."""

    def __init__(self, result: str = "done") -> None:
        self.began = threading.Semaphore(0)
        self.opened = threading.Event()
        self.runs = 0
        self._result = result
        self._counting = threading.Lock()

    def __call__(self) -> str:
        with self._counting:
            self.runs += 1
        self.began.release()
        assert self.opened.wait(PATIENCE)
        return self._result

    async def running(self, count: int = 1) -> None:
        """Wait for ``count`` starts."""
        for _ in range(count):
            assert await asyncio.to_thread(self.began.acquire, timeout=PATIENCE)


@pytest.fixture
def queue() -> Iterator[HashingQueue]:
    queue = HashingQueue(CHEAP, THREADS)
    yield queue
    queue.close()


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.opened.set()


def soon() -> float:
    """A deadline that does not pass during a test."""
    return time.monotonic() + PATIENCE


async def run(queue: HashingQueue, job: Callable[[], object], key: object = None, deadline: float = 0.0) -> object:
    """One call: reserve a slot (shared under ``key``) and run the job in it."""
    with queue.reserve(key) as slot:
        return await slot.run(job, deadline or soon(), key="job")


async def settled() -> None:
    """Let every runnable task run."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_full_queue_rejects_calls_at_once(queue: HashingQueue, gate: Gate) -> None:
    """One slot per thread and QUEUED more. The next caller is rejected before its attempt is recorded."""
    calls = [asyncio.create_task(run(queue, gate)) for _ in range(THREADS + QUEUED)]
    await gate.running(THREADS)
    with pytest.raises(Refusal) as caught, queue.reserve():
        pass
    assert caught.value.reason is Reason.OVERLOADED
    assert caught.value.retry_after is not None
    gate.opened.set()
    assert await asyncio.gather(*calls) == ["done"] * (THREADS + QUEUED)
    assert await run(queue, gate) == "done", "slots are freed"


async def test_calls_with_one_key_share_one_slot_and_one_job(queue: HashingQueue, gate: Gate) -> None:
    """Any number of concurrent calls with one code take one slot and one hash."""
    calls = [asyncio.create_task(run(queue, gate, key="code")) for _ in range(50)]
    await gate.running()
    others = [asyncio.create_task(run(queue, gate)) for _ in range(THREADS + QUEUED - 1)]
    await settled()
    with pytest.raises(Refusal), queue.reserve():
        pass
    with queue.reserve("code"):
        pass
    gate.opened.set()
    assert set(await asyncio.gather(*calls, *others)) == {"done"}
    assert gate.runs == 1 + len(others)


async def test_32_concurrent_uses_of_a_correct_code_hash_twice(queue: HashingQueue) -> None:
    """One verification and one hash of the new code for all calls.

    Seen to fail with OVERLOADED when every call has a slot and a job of its own.
    """
    phc = CHEAP.hash("right")
    before = CHEAP.operations

    async def use() -> object:
        return await run(queue, lambda: CHEAP.verify_and_replace(phc, "right"), key="fingerprint")

    replacements = set(await asyncio.gather(*(use() for _ in range(32))))
    assert len(replacements) == 1
    assert replacements != {None}
    assert CHEAP.operations - before == 2


async def test_a_wrong_code_is_hashed_once_and_not_replaced() -> None:
    phc = CHEAP.hash("right")
    before = CHEAP.operations
    assert CHEAP.verify_and_replace(phc, "wrong") is None
    assert CHEAP.operations - before == 1


async def test_nothing_is_hashed_after_the_deadline(queue: HashingQueue) -> None:
    ran: list[bool] = []
    with pytest.raises(DeadlinePassed):
        await run(queue, lambda: ran.append(True), deadline=time.monotonic())
    assert ran == []


async def test_a_queued_job_is_dropped_when_its_deadline_passes(queue: HashingQueue, gate: Gate) -> None:
    busy = [asyncio.create_task(run(queue, gate)) for _ in range(THREADS)]
    await gate.running(THREADS)
    ran: list[bool] = []
    late = asyncio.create_task(run(queue, lambda: ran.append(True), deadline=time.monotonic() + 0.02))
    await asyncio.sleep(0.03)
    gate.opened.set()
    with pytest.raises(DeadlinePassed):
        await late
    assert ran == []
    await asyncio.gather(*busy)


async def test_a_call_with_a_longer_deadline_still_gets_its_result(queue: HashingQueue, gate: Gate) -> None:
    """The first call queued the job with a deadline that has passed; another call queues it again with its own.

    Seen to fail with the first call's DeadlinePassed when jobs are not queued again.
    """
    busy = [asyncio.create_task(run(queue, gate)) for _ in range(THREADS)]
    await gate.running(THREADS)
    job = Gate("hashed")
    job.opened.set()
    leader = asyncio.create_task(run(queue, job, key="code", deadline=time.monotonic() + 0.02))
    followers = [asyncio.create_task(run(queue, job, key="code")) for _ in range(5)]
    await asyncio.sleep(0.03)
    gate.opened.set()
    with pytest.raises(DeadlinePassed):
        await leader
    assert await asyncio.gather(*followers) == ["hashed"] * 5
    assert job.runs == 1
    await asyncio.gather(*busy)


async def test_a_cancelled_call_does_not_cancel_calls_that_share_its_job(queue: HashingQueue, gate: Gate) -> None:
    """Seen to fail when the job is awaited without ``asyncio.shield``."""
    leader = asyncio.create_task(run(queue, gate, key="code"))
    await gate.running()
    followers = [asyncio.create_task(run(queue, gate, key="code")) for _ in range(5)]
    await settled()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    gate.opened.set()
    assert await asyncio.gather(*followers) == ["done"] * 5
    assert gate.runs == 1


async def test_cancelled_calls_do_not_raise_the_limit(queue: HashingQueue, gate: Gate) -> None:
    """A job cannot be stopped, so its slot stays taken until it is done, even if no call waits for it.

    Otherwise a caller that repeatedly starts and cancels calls fills the queue without limit, and all other calls wait.
    """
    for _ in range(5 * (THREADS + QUEUED)):
        call = asyncio.create_task(run(queue, gate))
        await settled()
        call.cancel()
        await asyncio.wait({call})
    with pytest.raises(Refusal) as caught, queue.reserve():
        pass
    assert caught.value.reason is Reason.OVERLOADED
    gate.opened.set()
    await asyncio.to_thread(queue.close)
    assert gate.runs <= THREADS + QUEUED


async def test_a_failed_job_fails_its_callers_and_not_later_ones(queue: HashingQueue) -> None:
    def broken() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        await run(queue, broken, key="code")
    assert await run(queue, lambda: "fine", key="code") == "fine"


async def test_the_event_loop_runs_while_all_threads_hash(queue: HashingQueue) -> None:
    """Asserts an order, not durations, which a busy machine distorts: with every thread inside Argon2id (16 MiB,
    10 passes), the loop runs a thousand iterations before the first hash is done."""
    slow = Argon2id(Argon2Parameters(memory_kib=16384, time=10))
    began = threading.Semaphore(0)

    def job() -> str:
        began.release()
        return slow.hash("secret")

    hashes = [asyncio.create_task(run(queue, job)) for _ in range(THREADS)]
    for _ in range(THREADS):
        assert await asyncio.to_thread(began.acquire, timeout=PATIENCE)
    for _ in range(1000):
        await asyncio.sleep(0)
    assert not any(one.done() for one in hashes)
    await asyncio.gather(*hashes)


async def test_hashing_uses_the_given_number_of_low_priority_threads(queue: HashingQueue, gate: Gate) -> None:
    """Their priority is lower than the event loop's, which answers hundreds of calls in the time of one hash."""
    niceness: set[int] = set()
    threads: set[int] = set()

    def job() -> str:
        threads.add(threading.get_native_id())
        niceness.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return gate()

    calls = [asyncio.create_task(run(queue, job)) for _ in range(THREADS + QUEUED)]
    await gate.running(THREADS)
    await settled()
    assert gate.runs == THREADS
    gate.opened.set()
    await asyncio.gather(*calls)
    assert len(threads) == THREADS
    assert min(niceness) > os.getpriority(os.PRIO_PROCESS, threading.main_thread().native_id or 0)


async def test_close_waits_for_running_jobs_and_drops_queued_ones(gate: Gate) -> None:
    queue = HashingQueue(CHEAP, 1)
    running = asyncio.create_task(run(queue, gate))
    await gate.running()
    waiting = asyncio.create_task(run(queue, gate))
    await settled()
    closing = asyncio.create_task(asyncio.to_thread(queue.close))
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gate.opened.set()
    assert await running == "done"
    await closing
    assert gate.runs == 1


def test_hashes_are_argon2id_phc_strings_with_unique_salts() -> None:
    """NIST SP 800-63B §3.1.1.2, RFC 9106 §3.1: 128 bits of salt, stored with the parameters."""
    first, second = CHEAP.hash("secret"), CHEAP.hash("secret")
    assert first != second
    _, kind, version, parameters, salt, _ = first.split("$")
    assert (kind, version, parameters) == ("argon2id", "v=19", "m=64,t=1,p=1")
    assert len(salt) == 22
    assert CHEAP.verify(first, "secret")
    assert not CHEAP.verify(first, "secret ")
    assert not CHEAP.verify("no hash", "secret")


def test_the_defaults_are_owasps_minimum_and_the_decoy_uses_the_configured_parameters() -> None:
    assert Argon2Parameters() == Argon2Parameters(memory_kib=19456, time=2, parallelism=1)
    assert CHEAP.decoy.startswith("$argon2id$v=19$m=64,t=1,p=1$")


def test_repr_of_a_new_backup_code_shows_neither_code_nor_hash() -> None:
    replacement = CHEAP.new_backup_code()
    assert CHEAP.verify(replacement.code_hash, replacement.code)
    assert replacement.code not in repr(replacement)
    assert "argon2" not in repr(replacement)
