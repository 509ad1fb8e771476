"""A server that starts: where it listens, when it says so, and with whom it shares."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from tests.app.processes import SERVING, health
from tests.people import People, people_of
from tests.servers import Clock, Server, serving
from tests.storage.databases import migrated_database
from twofactor_server.postgres import EmbeddedPostgres


@pytest_asyncio.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> str:
    """One database for all servers of this module."""
    return await migrated_database(postgres)


@contextlib.asynccontextmanager
async def people_at(server: Server) -> AsyncIterator[People]:
    """Builders over a new channel."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        assert await health(channel) == SERVING
        yield people_of(server, channel)


async def test_a_port_of_the_systems_choice_is_announced_and_served(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    """Port 0; settings from a file. "One line `listening on ADDRESS` on stdout once Health is SERVING"."""
    file = tmp_path / "twofactor.toml"
    file.write_text("product_name = 'Bücher & Söhne'\n")
    with serving(Server(tmp_path / "data", database_url, clock, settings={"TWOFACTOR_CONFIG": str(file)})) as server:
        host, _, port = server.address.rpartition(":")
        assert host == "127.0.0.1"
        assert 0 < int(port) < 65536
        async with grpc.aio.insecure_channel(server.address) as channel:
            # At once, without waiting: the line is a promise.
            assert await health(channel) == SERVING
        async with people_at(server) as people:
            owner = await people.with_authenticator()
            assert (await people.start_setup(owner)).otpauth_uri.startswith("otpauth://totp/B%C3%BCcher%20%26%20S")
        assert "TEST MODE" in server.log
        assert "granted every role" in server.log
        assert (server.data_dir / "keyring.json").stat().st_mode & 0o777 == 0o600


async def test_a_unix_socket_also_where_a_killed_server_left_one(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    """A socket file without a server behind it is no obstacle; one process serves it, whatever is set."""
    path = tmp_path / "socket"
    server = Server(tmp_path / "data", database_url, clock, address=f"unix:{path}")
    with serving(server):
        assert server.address == f"unix:{path}"
        async with people_at(server) as people:
            assert await people.with_account()
    assert path.is_socket(), "kill -9 leaves it"
    with serving(server):
        assert len(server.worker_pids()) == 1
        async with people_at(server) as people:
            assert await people.with_account()


async def test_two_servers_on_one_database_know_of_each_others_codes(
    database_url: str, clock: Clock, tmp_path: Path
) -> None:
    """ "Servers are stateless": what one began the other ends, and a code that one spent the other refuses."""
    first = Server(tmp_path / "first", database_url, clock, workers=1)
    keyring = {"TWOFACTOR_KEYRING_FILE": str(tmp_path / "first" / "keyring.json")}
    second = Server(tmp_path / "second", database_url, clock, workers=1, settings=keyring)
    # One mail folder, as they would have one SMTP server: either of them delivers the mails of both.
    second.data_dir.mkdir()
    (second.data_dir / "mail").symlink_to(first.data_dir / "mail")
    with serving(first), serving(second):
        async with people_at(first) as here, people_at(second) as there:
            owner = await here.with_authenticator()
            before = await here.challenge_for(owner)
            used = await there.use_backup_code(before, owner.backup_code)
            challenge = await there.challenge_for(owner)
            with pytest.raises(grpc.aio.AioRpcError, match="used before"):
                await here.use_backup_code(challenge, owner.backup_code)
            again = await here.use_backup_code(challenge, used.new_backup_code.code)
            assert again.new_backup_code.generation == owner.generation + 2
