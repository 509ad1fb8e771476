"""A retry that was refused must stay refused: its first try may not go on and succeed behind the owner's back.

Each story was found by the model (docs/model.md), as a call whose client gave up while the server worked on.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from tests.flows.house import BY_PASSWORD, House
from twofactor_server.domain.refusals import Reason, Refusal


@contextlib.asynccontextmanager
async def held_up(house: House, job: str) -> AsyncIterator[tuple[asyncio.Event, Callable[[], None]]]:
    """The first ``job`` of the hashing queue, told of when it begins, takes until it is let go; later ones do not."""
    begun, go = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()
    argon2id: Any = house.hashing.argon2id
    real = getattr(argon2id, job)

    def slow(*arguments: Any) -> Any:
        setattr(argon2id, job, real)
        loop.call_soon_threadsafe(begun.set)
        go.wait(10)
        return real(*arguments)

    setattr(argon2id, job, slow)
    try:
        yield begun, go.set
    finally:
        go.set()
        setattr(argon2id, job, real)


async def outcome(call: Any) -> Any:
    """The answer, or the reason of the refusal."""
    try:
        return await call
    except Refusal as refusal:
        return refusal.reason


async def test_time_runs_out_between_a_use_and_its_retry(house: House) -> None:
    """Seen to fail with time checked before the pending attempt: CHALLENGE_EXPIRED, and then the code was spent."""
    owner = await house.owner_with_authenticator()
    challenge, request = await house.challenge(owner), uuid4()

    def use() -> Any:
        return house.backup_codes.use(house.call(), challenge, owner.backup_code, request)

    async with held_up(house, "verify_and_replace") as (begun, let_go):
        first = asyncio.create_task(outcome(use()))
        await begun.wait()
        house.later(timedelta(minutes=10))
        retry = asyncio.create_task(outcome(use()))
        # Time enough to be refused; if it is not, it waits for the first one's job.
        await asyncio.wait({retry}, timeout=0.3)
        let_go()
        tried, retried = await first, await retry
    assert not isinstance(retried, Reason), (retried, tried)
    assert retried.new_backup_code == tried.new_backup_code


async def test_the_app_moves_on_between_a_confirmation_and_its_retry(house: House) -> None:
    """Seen to fail with the digits judged by the first transaction only: CODE_MISMATCH, and then it was on."""
    owner = await house.owner_with_authenticator()
    started = await house.setups.start(house.call(), owner.session_token, BY_PASSWORD)
    owner.secret = started.enrolment.secret.replace(" ", "")
    digits, request = owner.code_at(house.now), uuid4()

    def confirm() -> Any:
        return house.setups.confirm(house.call(), owner.session_token, started.setup_id, digits, request)

    async with held_up(house, "new_backup_code") as (begun, let_go):
        first = asyncio.create_task(outcome(confirm()))
        await begun.wait()
        house.later(timedelta(minutes=2))
        retried = await outcome(confirm())
        let_go()
        tried = await first
    assert retried is Reason.CODE_MISMATCH
    assert tried is Reason.CODE_MISMATCH, "the owner was told no, and the authenticator went on all the same"


async def test_an_authenticator_is_exchanged_between_a_regeneration_and_its_retry(house: House) -> None:
    """Seen to fail with any authenticator's code replaced: the one shown at setup died unseen."""
    owner = await house.owner_with_authenticator()
    request = uuid4()

    def regenerate() -> Any:
        return house.regeneration.regenerate(house.call(), owner.session_token, BY_PASSWORD, request)

    async with held_up(house, "new_backup_code") as (begun, let_go):
        first = asyncio.create_task(outcome(regenerate()))
        await begun.wait()
        await house.removal.remove(house.call(), owner.session_token, BY_PASSWORD)
        retried = await outcome(regenerate())
        started = await house.setups.start(house.call(), owner.session_token, BY_PASSWORD)
        owner.secret = started.enrolment.secret.replace(" ", "")
        shown = await house.setups.confirm(
            house.call(), owner.session_token, started.setup_id, owner.code_at(house.now), uuid4()
        )
        let_go()
        tried = await first
    assert retried is Reason.METHOD_NOT_ACTIVE
    assert isinstance(tried, Reason), "the code that was just shown is dead, and nobody was shown the other"
    used = await house.backup_codes.use(house.call(), await house.challenge(owner), shown.backup_code.code, uuid4())
    assert used.new_backup_code is not None
