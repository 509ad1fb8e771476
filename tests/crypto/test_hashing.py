"""The hashing queue: bounded, shared by those who race with one code, off the event loop, never late for nothing."""

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
    """A job that tells when it runs and waits until it may end; how often it ran is counted."""

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
        """Wait until it has begun so often."""
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
    """A deadline far enough away."""
    return time.monotonic() + PATIENCE


async def run(queue: HashingQueue, job: Callable[[], object], key: object = None, deadline: float = 0.0) -> object:
    """One call: a place (shared under ``key``), and the job in it."""
    with queue.place(key) as place:
        return await place.run(job, deadline or soon(), key="job")


async def settled() -> None:
    """Let every task that can go on go on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_beyond_the_bound_the_answer_is_overloaded_at_once(queue: HashingQueue, gate: Gate) -> None:
    """As many places as threads and a few more; the next caller is refused before anything is charged."""
    calls = [asyncio.create_task(run(queue, gate)) for _ in range(THREADS + QUEUED)]
    await gate.running(THREADS)
    with pytest.raises(Refusal) as caught, queue.place():
        pass
    assert caught.value.reason is Reason.OVERLOADED
    assert caught.value.retry_after is not None
    gate.opened.set()
    assert await asyncio.gather(*calls) == ["done"] * (THREADS + QUEUED)
    assert await run(queue, gate) == "done", "places come back"


async def test_calls_of_one_key_share_one_place_and_one_job(queue: HashingQueue, gate: Gate) -> None:
    """However many race with one code, they take one place of the queue and one hash."""
    calls = [asyncio.create_task(run(queue, gate, key="code")) for _ in range(50)]
    await gate.running()
    others = [asyncio.create_task(run(queue, gate)) for _ in range(THREADS + QUEUED - 1)]
    await settled()
    with pytest.raises(Refusal), queue.place():
        pass
    with queue.place("code"):
        pass
    gate.opened.set()
    assert set(await asyncio.gather(*calls, *others)) == {"done"}
    assert gate.runs == 1 + len(others)


async def test_32_racing_uses_of_a_right_code_hash_twice(queue: HashingQueue) -> None:
    """Verify, and hash the replacement: two operations for all of them, and one replacement.

    With a place and a job for each call (no sharing), callers beyond the bound were refused as OVERLOADED.
    """
    phc = CHEAP.hash("right")
    before = CHEAP.operations

    async def use() -> object:
        return await run(queue, lambda: CHEAP.verify_and_replace(phc, "right"), key="fingerprint")

    replacements = set(await asyncio.gather(*(use() for _ in range(32))))
    assert len(replacements) == 1
    assert replacements != {None}
    assert CHEAP.operations - before == 2


async def test_a_wrong_code_is_hashed_once_and_replaced_by_nothing() -> None:
    phc = CHEAP.hash("right")
    before = CHEAP.operations
    assert CHEAP.verify_and_replace(phc, "wrong") is None
    assert CHEAP.operations - before == 1


async def test_past_the_deadline_nothing_is_hashed(queue: HashingQueue) -> None:
    """ "Work whose deadline has passed is dropped unhashed"."""
    ran: list[bool] = []
    with pytest.raises(DeadlinePassed):
        await run(queue, lambda: ran.append(True), deadline=time.monotonic())
    assert ran == []


async def test_a_job_whose_deadline_passes_in_the_queue_is_dropped_unhashed(queue: HashingQueue, gate: Gate) -> None:
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


async def test_a_follower_with_a_longer_deadline_still_gets_its_result(queue: HashingQueue, gate: Gate) -> None:
    """The job was queued with the leader's deadline, which passed: the follower queues it again with its own.

    With the follower's second try taken out it was refused with the leader's DeadlinePassed.
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


async def test_a_leader_that_leaves_does_not_take_the_followers_along(queue: HashingQueue, gate: Gate) -> None:
    """With the job awaited without its shield, the leader's cancel cancelled all of them."""
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


async def test_callers_that_hang_up_do_not_lift_the_bound(queue: HashingQueue, gate: Gate) -> None:
    """A job cannot be stopped, so its place is taken until it is done, whoever still waits for it.

    Otherwise a caller that asks and hangs up, again and again, fills the threads' queue without a bound, and everybody
    else waits behind work that nobody wants.
    """
    for _ in range(5 * (THREADS + QUEUED)):
        call = asyncio.create_task(run(queue, gate))
        await settled()
        call.cancel()
        await asyncio.wait({call})
    with pytest.raises(Refusal) as caught, queue.place():
        pass
    assert caught.value.reason is Reason.OVERLOADED
    gate.opened.set()
    await asyncio.to_thread(queue.close)
    assert gate.runs <= THREADS + QUEUED


async def test_a_failed_job_fails_its_callers_and_not_the_next(queue: HashingQueue) -> None:
    def broken() -> None:
        raise MemoryError

    with pytest.raises(MemoryError):
        await run(queue, broken, key="code")
    assert await run(queue, lambda: "fine", key="code") == "fine"


async def test_the_event_loop_goes_on_while_all_threads_hash(queue: HashingQueue) -> None:
    """Not measured in time, which a busy machine bends, but in order: with every thread inside Argon2id (16 MiB,
    10 passes), the loop turns a thousand times before the first of them is done."""
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


async def test_hashing_runs_on_as_many_threads_as_it_was_given_and_behind_the_loop(
    queue: HashingQueue, gate: Gate
) -> None:
    """At a lower priority than the event loop's thread, which answers hundreds of calls in the time of one hash."""
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


async def test_closing_finishes_what_runs_and_drops_what_waits(gate: Gate) -> None:
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


def test_hashes_are_phc_strings_of_argon2id_with_salts_of_their_own() -> None:
    """NIST SP 800-63B §3.1.1.2, RFC 9106 §3.1: 128 bits of salt, the parameters beside them."""
    first, second = CHEAP.hash("secret"), CHEAP.hash("secret")
    assert first != second
    _, kind, version, parameters, salt, _ = first.split("$")
    assert (kind, version, parameters) == ("argon2id", "v=19", "m=64,t=1,p=1")
    assert len(salt) == 22
    assert CHEAP.verify(first, "secret")
    assert not CHEAP.verify(first, "secret ")
    assert not CHEAP.verify("no hash", "secret")


def test_the_defaults_are_owasps_floor_and_the_decoy_follows_the_parameters() -> None:
    assert Argon2Parameters() == Argon2Parameters(memory_kib=19456, time=2, parallelism=1)
    assert CHEAP.decoy.startswith("$argon2id$v=19$m=64,t=1,p=1$")


def test_a_replacement_shows_neither_code_nor_hash() -> None:
    replacement = CHEAP.new_backup_code()
    assert CHEAP.verify(replacement.code_hash, replacement.code)
    assert replacement.code not in repr(replacement)
    assert "argon2" not in repr(replacement)
