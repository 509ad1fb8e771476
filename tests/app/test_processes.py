"""The processes behind a server: replaced when they die, drained when told to stop, gone when the supervisor is."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]
import grpc
import pytest
import pytest_asyncio

from tests.app.processes import SERVING, SelfContained, descendants, health, is_gone, until
from tests.people import CLIENT, PASSWORD, People, Person, people_of
from tests.servers import PATIENCE, Clock, Server, serving
from tests.storage.databases import ask, migrated_database
from twofactor.v1 import sign_in_service_pb2, types_pb2
from twofactor_server.postgres import EmbeddedPostgres


@pytest_asyncio.fixture
async def database_url(postgres: EmbeddedPostgres) -> str:
    """A database of the test's own."""
    return await migrated_database(postgres)


@pytest.fixture
def own_server(database_url: str, clock: Clock, tmp_path: Path) -> Iterator[Server]:
    """A server of the test's own, of one process."""
    with serving(Server(tmp_path / "data", database_url, clock, workers=1)) as server:
        yield server


@pytest_asyncio.fixture
async def own_people(own_server: Server) -> AsyncIterator[People]:
    """Builders on that server."""
    async with grpc.aio.insecure_channel(own_server.address) as channel:
        yield people_of(own_server, channel)


async def test_a_process_that_is_killed_is_replaced_and_calls_go_on(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    """Meanwhile the other one serves; whoever connects anew is answered."""
    with serving(Server(tmp_path / "data", database_url, clock, workers=2)) as server:
        first, second = server.worker_pids()
        os.kill(first, signal.SIGKILL)
        for _ in range(10):
            # No channel of the tests' pool: each connects for itself, and may land on either process.
            options = [("grpc.use_local_subchannel_pool", 1)]
            async with grpc.aio.insecure_channel(server.address, options) as channel:
                assert await health(channel) == SERVING
        await until(lambda: len(set(server.worker_pids()) - {first}) == 2, "a replacement is started")
        assert second in server.worker_pids()
        assert "A server process ended (-9); starting another." in server.log


class HeldCall:
    """A sign-in that cannot end: its account is locked by somebody else."""

    def __init__(self, people: People, person: Person, url: str) -> None:
        self._url = url
        request = sign_in_service_pb2.StartSignInRequest(
            password=types_pb2.PasswordCredential(email=person.email, password=PASSWORD), client=CLIENT
        )
        self._begin: Callable[[], Awaitable[sign_in_service_pb2.StartSignInResponse]] = lambda: (
            people.stubs.sign_in.StartSignIn(request, timeout=PATIENCE)
        )
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
        """Let the call go on."""
        await self._lock.rollback()

    async def _is_held(self) -> bool:
        statement = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = $1"
        waits: bool = await ask(self._url, statement, await ask(self._url, "SELECT current_database()"))
        return waits


async def test_told_to_stop_it_finishes_what_it_was_asked(
    own_server: Server, own_people: People, database_url: str
) -> None:
    """SIGTERM: new calls are refused, the running one is answered and its mail is not lost, exit status 0."""
    person = await own_people.with_account()
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


async def test_with_the_supervisor_everything_goes(clock: Clock, tmp_path: Path) -> None:
    """kill -9 of the supervisor alone: its server processes end, and so does its PostgreSQL; and the same folder
    starts again, with all that was in it. A PostgreSQL that is killed is started again as well."""
    server = SelfContained(tmp_path / "data", "", clock, workers=1)
    with serving(server):
        async with grpc.aio.insecure_channel(server.address) as channel:
            owner = await people_of(server, channel).with_authenticator()
            assert server.process
            postmaster = next(pid for pid, line in descendants(server.process.pid).items() if "/postgres " in line)
            os.kill(postmaster, signal.SIGKILL)
            await until(lambda: "PostgreSQL died; starting it again." in server.log, "it is noticed")
            await until(lambda: _answers(people_of(server, channel), owner), "calls are answered again")
        family = descendants(server.process.pid)
        assert len(family) > 5
        os.kill(server.process.pid, signal.SIGKILL)
        await until(lambda: all(map(is_gone, family)), "all are gone")
        server.kill()
        server.start()
        async with grpc.aio.insecure_channel(server.address) as channel:
            people = people_of(server, channel)
            answer = await people.use_backup_code(await people.challenge_for(owner), owner.backup_code)
            assert answer.new_backup_code.generation == owner.generation + 1
        family = descendants(server.process.pid)
        assert await asyncio.to_thread(server.stop) == 0
        assert all(map(is_gone, family)), "an orderly stop leaves nothing behind"


async def _answers(people: People, owner: Person) -> bool:
    try:
        await people.status(owner.session_token)
    except grpc.aio.AioRpcError:
        return False
    return True


def _takes_connections(address: str) -> bool:
    with socket.socket() as probe:
        host, _, port = address.rpartition(":")
        return probe.connect_ex((host, int(port))) == 0
