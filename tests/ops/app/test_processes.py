"""The processes of a server: restarted when they die, drained on SIGTERM, and ended with their supervisor."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import grpc
import pytest
import pytest_asyncio

from tests.ops.app.processes import SERVING, SelfContained, descendants, health, is_gone, until
from tests.storage.databases import ask, migrated_database
from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner, factory_for
from tests.support.mailbox import PATIENCE
from tests.support.rpc import Refused
from tests.support.servers import Server, serving
from twofactor_server.postgres import EmbeddedPostgres


@pytest_asyncio.fixture
async def database_url(postgres: EmbeddedPostgres) -> str:
    """A database for one test."""
    return await migrated_database(postgres)


@pytest.fixture
def own_server(database_url: str, clock: Clock, tmp_path: Path) -> Iterator[Server]:
    """A server with one worker, for one test."""
    with serving(Server(tmp_path / "data", database_url, clock, workers=1)) as server:
        yield server


@pytest_asyncio.fixture
async def own_people(own_server: Server) -> AsyncIterator[AccountFactory]:
    async with grpc.aio.insecure_channel(own_server.address) as channel:
        yield factory_for(own_server, channel)


async def test_a_killed_worker_is_replaced(database_url: str, clock: Clock, tmp_path: Path) -> None:
    """Meanwhile the other one answers new connections."""
    with serving(Server(tmp_path / "data", database_url, clock, workers=2)) as server:
        first, second = server.worker_pids()
        os.kill(first, signal.SIGKILL)
        for _ in range(10):
            # A channel with a connection of its own, which may reach either process.
            options = [("grpc.use_local_subchannel_pool", 1)]
            async with grpc.aio.insecure_channel(server.address, options) as channel:
                assert await health(channel) == SERVING
        await until(lambda: len(set(server.worker_pids()) - {first}) == 2, "a replacement is started")
        assert second in server.worker_pids()
        assert "A worker exited with status -9; starting another one." in server.log


class HeldCall:
    """A sign-in that waits for a lock which the test holds."""

    def __init__(self, factory: AccountFactory, person: Owner, url: str) -> None:
        self._url = url
        self._begin: Callable[[], Awaitable[Any]] = lambda: factory.rpc.StartSignIn(password=person.credential)
        self._account_id = person.account_id

    async def __aenter__(self) -> "HeldCall":
        self._holder = await asyncpg.connect(self._url)
        self._lock = self._holder.transaction()
        await self._lock.start()
        await self._holder.execute(
            "SELECT 1 FROM second_factors WHERE account_id = $1::uuid FOR NO KEY UPDATE", self._account_id
        )
        self.call = asyncio.ensure_future(self._begin())
        await until(self._is_held, "the call waits for the lock")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.call.cancel()
        await self._holder.close()

    async def release(self) -> None:
        await self._lock.rollback()

    async def _is_held(self) -> bool:
        statement = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"
        waits: bool = await ask(self._url, statement, await ask(self._url, "SELECT current_database()"))
        return waits


async def test_sigterm_drains_running_calls(own_server: Server, own_people: AccountFactory, database_url: str) -> None:
    """New calls are rejected, the running one is answered, its mail is not lost, and the exit status is 0."""
    person = await own_people.account()
    async with HeldCall(own_people, person, database_url) as held:
        assert own_server.process
        own_server.process.terminate()
        await until(lambda: not _takes_connections(own_server.address), "new connections are refused")
        assert not held.call.done()
        await held.release()
        assert (await held.call).challenge_token
    status = await asyncio.to_thread(own_server.process.wait, PATIENCE)
    assert status == 0
    assert "Traceback" not in own_server.log
    statement = "SELECT count(*) FROM outbox WHERE payload IS NOT NULL"
    waiting = await ask(database_url, statement)
    assert waiting + len(own_server.mailbox.to(person.email)) == 1


async def test_a_second_sigterm_and_ctrl_c_change_nothing(own_server: Server) -> None:
    assert own_server.process
    for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGTERM):
        own_server.process.send_signal(signum)
    assert await asyncio.to_thread(own_server.process.wait, PATIENCE) == 0
    assert "Traceback" not in own_server.log


async def test_everything_ends_with_the_supervisor(clock: Clock, tmp_path: Path) -> None:
    """After kill -9 of the supervisor its workers and its PostgreSQL end, and the same folder can be started again with
    its data. A killed PostgreSQL is restarted."""
    server = SelfContained(tmp_path / "data", "", clock, workers=1)
    with serving(server):
        async with grpc.aio.insecure_channel(server.address) as channel:
            owner = await factory_for(server, channel).account_with_authenticator()
            assert server.process
            postmaster = next(pid for pid, line in descendants(server.process.pid).items() if "/postgres " in line)
            os.kill(postmaster, signal.SIGKILL)
            await until(lambda: "PostgreSQL died; restarting it." in server.log, "it is noticed")
            await until(lambda: _answers(factory_for(server, channel), owner), "calls are answered again")
        family = descendants(server.process.pid)
        assert len(family) > 5
        os.kill(server.process.pid, signal.SIGKILL)
        await until(lambda: all(map(is_gone, family)), "all are gone")
        server.kill()
        server.start()
        async with grpc.aio.insecure_channel(server.address) as channel:
            factory = factory_for(server, channel)
            answer = await factory.rpc.UseBackupCode(
                challenge_token=await factory.challenge_for(owner), backup_code=owner.backup_code
            )
            assert answer.new_backup_code.generation == owner.generation + 1
        family = descendants(server.process.pid)
        assert await asyncio.to_thread(server.stop) == 0
        assert all(map(is_gone, family)), "an orderly stop leaves nothing behind"


async def _answers(factory: AccountFactory, owner: Owner) -> bool:
    try:
        await factory.rpc.GetTwoFactor(session_token=owner.session_token)
    except Refused:
        return False
    return True


def _takes_connections(address: str) -> bool:
    with socket.socket() as probe:
        host, _, port = address.rpartition(":")
        return probe.connect_ex((host, int(port))) == 0
