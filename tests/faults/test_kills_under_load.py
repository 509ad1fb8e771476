"""PostgreSQL and server processes killed with -9 at random moments, while owners go on signing in."""

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

from tests.people import People, Person, people_of
from tests.refusals import refusal
from tests.servers import Clock, Server, serving
from twofactor_server.postgres import EmbeddedPostgres

OWNERS = 6
USES = 6
KILLS = 5
VICTIMS = ("postgres", "server process")
TRANSIENT = {"DEPENDENCY_UNAVAILABLE", "OVERLOADED", "CONFLICT", ""}
"""What a caller repeats: the reasons that say so, and a connection that broke without a word."""

T = TypeVar("T")
Strike = Callable[[], Awaitable[None]]


@pytest_asyncio.fixture
async def ground(tmp_path: Path) -> AsyncIterator[tuple[EmbeddedPostgres, Server]]:
    """A PostgreSQL of its own, which waits for the disk, and a server of two processes."""
    with tempfile.TemporaryDirectory(prefix="twofactor-tests-") as folder:
        Path(folder).chmod(0o711)
        with (
            EmbeddedPostgres(Path(folder).resolve() / "data", lambda _: None) as postgres,
            serving(Server(tmp_path / "server", postgres.url, Clock(tmp_path / "now"))) as server,
        ):
            yield postgres, server


@pytest.mark.parametrize("victim", VICTIMS)
async def test_owners_sign_in_through_kills(victim: str, ground: tuple[EmbeddedPostgres, Server]) -> None:
    """However often it dies under them, each use of a backup code comes to one replacement, and that one works."""
    postgres, server = ground
    async with grpc.aio.insecure_channel(server.address) as channel:
        await sign_in_through_kills(victim, postgres, server, people_of(server, channel))


async def sign_in_through_kills(
    victim: str, postgres: EmbeddedPostgres, server: Server, people: People
) -> tuple[int, int]:
    """Let owners sign in while the victim is killed again and again; how many uses there were, and how many kills."""
    owners = [await people.with_authenticator() for _ in range(OWNERS)]
    killer = asyncio.create_task(_keep_striking(partial(_strike, victim, postgres, server)))
    await asyncio.gather(*(_sign_in_again_and_again(people, owner) for owner in owners))
    await killer
    for owner in owners:
        assert owner.generation == 1 + USES
        assert len(people.mailbox.to(owner.email, "backup-code-used")) <= USES
        await _use(people, owner)
    return OWNERS * (USES + 1), KILLS


async def _strike(victim: str, postgres: EmbeddedPostgres, server: Server) -> None:
    if victim != "postgres":
        await _kill_a_process(server)
        return
    os.kill(postgres.pid, signal.SIGKILL)
    while postgres.poll() is None:
        await asyncio.sleep(0.01)
    postgres.start()


async def _kill_a_process(server: Server) -> None:
    """On a slow machine both may be down at once, from the blows before; then wait for one that was started again."""
    while not (running := server.worker_pids()):
        await asyncio.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.kill(random.choice(running), signal.SIGKILL)


async def _keep_striking(strike: Strike) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(random.uniform(0.3, 1.0))
        await strike()


async def _sign_in_again_and_again(people: People, owner: Person) -> None:
    for _ in range(USES):
        await _use(people, owner)
        await asyncio.sleep(random.uniform(0.05, 0.3))


async def _use(people: People, owner: Person) -> None:
    """One logical use, repeated until it is answered; its one effect is one generation more."""
    challenge = await _until_answered(lambda: people.challenge_for(owner))
    request_id = str(uuid4())
    done = await _until_answered(lambda: people.use_backup_code(challenge, owner.backup_code, request_id))
    assert done.new_backup_code.generation == owner.generation + 1
    owner.backup_code, owner.generation = done.new_backup_code.code, done.new_backup_code.generation


async def _until_answered(call: Callable[[], Awaitable[T]]) -> T:
    async with asyncio.timeout(60):
        while True:
            try:
                return await call()
            except grpc.aio.AioRpcError as error:
                said = refusal(error)
                assert said.reason in TRANSIENT, said
                await asyncio.sleep((said.retry_after and 0.2) or 0.05)
