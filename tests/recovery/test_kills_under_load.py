"""PostgreSQL and server processes that are killed at random moments while owners sign in."""

import asyncio
import contextlib
import os
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner, factory_for
from tests.support.rpc import Refused
from tests.support.servers import Server, serving
from twofactor_server.postgres import EmbeddedPostgres

OWNERS = 6
USES = 6
KILLS = 5
VICTIMS = ("postgres", "server process")
TRANSIENT = {"DEPENDENCY_UNAVAILABLE", "OVERLOADED", "CONFLICT", ""}
"""The reasons that a caller retries, and a broken connection."""

T = TypeVar("T")
Strike = Callable[[], Awaitable[None]]


@pytest_asyncio.fixture
async def environment(tmp_path: Path) -> AsyncIterator[tuple[EmbeddedPostgres, Server]]:
    """A PostgreSQL with fsync and a server of two processes."""
    with tempfile.TemporaryDirectory(prefix="twofactor-tests-") as folder:
        Path(folder).chmod(0o711)
        with (
            EmbeddedPostgres(Path(folder).resolve() / "data", lambda _: None) as postgres,
            serving(Server(tmp_path / "server", postgres.url, Clock(tmp_path / "now"))) as server,
        ):
            yield postgres, server


@pytest.mark.parametrize("victim", VICTIMS)
async def test_owners_sign_in_through_kills(victim: str, environment: tuple[EmbeddedPostgres, Server]) -> None:
    """Each use of a backup code has one replacement, and that one works."""
    postgres, server = environment
    async with grpc.aio.insecure_channel(server.address) as channel:
        await sign_in_through_kills(victim, postgres, server, factory_for(server, channel))


async def sign_in_through_kills(
    victim: str, postgres: EmbeddedPostgres, server: Server, factory: AccountFactory
) -> tuple[int, int]:
    """Let owners sign in while the victim is killed repeatedly; returns the numbers of uses and kills."""
    owners = [await factory.account_with_authenticator() for _ in range(OWNERS)]
    killer = asyncio.create_task(_kill_repeatedly(partial(_kill_victim, victim, postgres, server)))
    await asyncio.gather(*(_sign_in_repeatedly(factory, owner) for owner in owners))
    await killer
    for owner in owners:
        assert owner.generation == 1 + USES
        assert len(factory.mailbox.to(owner.email, "backup-code-used")) <= USES
        await _use(factory, owner)
    return OWNERS * (USES + 1), KILLS


async def _kill_victim(victim: str, postgres: EmbeddedPostgres, server: Server) -> None:
    if victim != "postgres":
        await _kill_a_worker(server)
        return
    os.kill(postgres.pid, signal.SIGKILL)
    while postgres.poll() is None:
        await asyncio.sleep(0.01)
    postgres.start()


async def _kill_a_worker(server: Server) -> None:
    """On a slow machine both workers may be down because of earlier kills; wait for one to be restarted."""
    while not (running := server.worker_pids()):
        await asyncio.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.kill(random.choice(running), signal.SIGKILL)


async def _kill_repeatedly(strike: Strike) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.3, 1.0))
        await strike()


async def _sign_in_repeatedly(factory: AccountFactory, owner: Owner) -> None:
    for _ in range(USES):
        await _use(factory, owner)
        await asyncio.sleep(random.uniform(0.05, 0.3))


async def _use(factory: AccountFactory, owner: Owner) -> None:
    """One logical use, retried until it is answered; it increments the generation once."""
    challenge = await _retry_until_answered(lambda: factory.challenge_for(owner))
    request_id = str(uuid4())
    done = await _retry_until_answered(
        lambda: factory.rpc.UseBackupCode(
            challenge_token=challenge, backup_code=owner.backup_code, request_id=request_id
        )
    )
    assert done.new_backup_code.generation == owner.generation + 1
    owner.backup_code, owner.generation = done.new_backup_code.code, done.new_backup_code.generation


async def _retry_until_answered(call: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(60):
        while True:
            try:
                return await call()
            except Refused as refusal:
                if refusal.reason not in TRANSIENT:
                    raise
                await asyncio.sleep((refusal.retry_after and 0.2) or 0.05)
