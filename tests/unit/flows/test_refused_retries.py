"""Once a retry is refused, its first try must not succeed after all.

The model found each of these (docs/model.md): the client gave up on the first try while the server worked on.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.unit.flows.harness import BY_PASSWORD, FlowHarness
from twofactor_server.domain.refusals import Reason, Refusal


@contextlib.asynccontextmanager
async def delay_job(harness: FlowHarness, job: str) -> AsyncIterator[tuple[asyncio.Event, Callable[[], None]]]:
    """The first ``job`` of the hashing queue sets the event when it starts and waits until the callable is called."""
    started, resume = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    argon2id: Any = harness.hashing.argon2id
    real = getattr(argon2id, job)

    def slow(*arguments: Any) -> Any:
        setattr(argon2id, job, real)
        loop.call_soon_threadsafe(started.set)
        resume.wait(10)
        return real(*arguments)

    setattr(argon2id, job, slow)
    try:
        yield started, resume.set
    finally:
        resume.set()
        setattr(argon2id, job, real)


async def outcome(call: Any) -> Any:
    """The answer, or the reason of the refusal."""
    try:
        return await call
    except Refusal as refusal:
        return refusal.reason


async def test_the_challenge_expires_between_a_use_and_its_retry(harness: FlowHarness) -> None:
    """With the expiry checked before the pending attempt: CHALLENGE_EXPIRED, and then the code was spent."""
    owner = await harness.account_with_authenticator()
    challenge, request = await harness.challenge(owner), uuid4()

    def use() -> Any:
        return harness.backup_codes.use(harness.call(), challenge, owner.backup_code, request)

    async with delay_job(harness, "verify_and_replace") as (job_started, resume):
        first = asyncio.create_task(outcome(use()))
        await job_started.wait()
        harness.advance(timedelta(minutes=10))
        retry = asyncio.create_task(outcome(use()))
        # Long enough to be refused. Otherwise it waits for the first one's job.
        await asyncio.wait({retry}, timeout=0.3)
        resume()
        tried, retried = await first, await retry
    assert not isinstance(retried, Reason), (retried, tried)
    assert retried.new_backup_code == tried.new_backup_code


async def test_the_time_step_passes_between_a_confirmation_and_its_retry(harness: FlowHarness) -> None:
    """With the code verified in the first transaction only: CODE_MISMATCH, and then the authenticator was on."""
    owner = await harness.account_with_authenticator()
    started = await harness.setups.start(harness.call(), owner.session, BY_PASSWORD)
    owner.secret = started.enrolment.secret.replace(" ", "")
    digits, request = owner.code_at(harness.now), uuid4()

    def confirm() -> Any:
        return harness.setups.confirm(harness.call(), owner.session, started.setup_id, digits, request)

    async with delay_job(harness, "new_backup_code") as (job_started, resume):
        first = asyncio.create_task(outcome(confirm()))
        await job_started.wait()
        harness.advance(timedelta(minutes=2))
        retried = await outcome(confirm())
        resume()
        tried = await first
    assert retried is Reason.CODE_MISMATCH
    assert tried is Reason.CODE_MISMATCH, "the owner was refused, and the authenticator was turned on"


async def test_the_authenticator_is_replaced_between_a_regeneration_and_its_retry(harness: FlowHarness) -> None:
    """With any authenticator's backup code replaced: the one shown at setup was dead."""
    owner = await harness.account_with_authenticator()
    request = uuid4()

    def regenerate() -> Any:
        return harness.regeneration.regenerate(harness.call(), owner.session, BY_PASSWORD, request)

    async with delay_job(harness, "new_backup_code") as (job_started, resume):
        first = asyncio.create_task(outcome(regenerate()))
        await job_started.wait()
        await harness.removal.remove(harness.call(), owner.session, BY_PASSWORD)
        retried = await outcome(regenerate())
        await harness.set_up_authenticator(owner)
        resume()
        tried = await first
    assert retried is Reason.METHOD_NOT_ACTIVE
    assert isinstance(tried, Reason), "the code that was just shown is dead, and no one was shown the other"
    used = await harness.backup_codes.use(harness.call(), await harness.challenge(owner), owner.backup_code, uuid4())
    assert used.new_backup_code is not None
