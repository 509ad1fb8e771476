"""A server that starts: its address, its announcement, and its shared database."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest_asyncio

from tests.ops.app.processes import SERVING, health
from tests.storage.databases import migrated_database
from tests.support.clock import Clock
from tests.support.factories import AccountFactory, factory_for
from tests.support.rpc import refused
from tests.support.servers import Server, serving
from twofactor_server.postgres import EmbeddedPostgres


@pytest_asyncio.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> str:
    """One database for all servers of this module."""
    return await migrated_database(postgres)


@contextlib.asynccontextmanager
async def people_at(server: Server) -> AsyncIterator[AccountFactory]:
    async with grpc.aio.insecure_channel(server.address) as channel:
        assert await health(channel) == SERVING
        yield factory_for(server, channel)


async def test_port_0_is_announced_and_served(database_url: str, clock: Clock, tmp_path: Path) -> None:
    """Also: settings from a file; the line is printed when the health service answers SERVING."""
    file = tmp_path / "twofactor.toml"
    file.write_text("product_name = 'Bücher & Söhne'\n")
    with serving(Server(tmp_path / "data", database_url, clock, settings={"TWOFACTOR_CONFIG": str(file)})) as server:
        host, _, port = server.address.rpartition(":")
        assert host == "127.0.0.1"
        assert 0 < int(port) < 65536
        async with grpc.aio.insecure_channel(server.address) as channel:
            # Without waiting: the line promises it.
            assert await health(channel) == SERVING
        async with people_at(server) as factory:
            owner = await factory.account_with_authenticator()
            assert (await factory.rpc.StartAuthenticatorSetup(**owner.by_password())).otpauth_uri.startswith(
                "otpauth://totp/B%C3%BCcher%20%26%20S"
            )
        assert "TEST MODE" in server.log
        assert "granted every role" in server.log
        assert (server.data_dir / "keyring.json").stat().st_mode & 0o777 == 0o600


async def test_a_unix_socket_replaces_that_of_a_killed_server(database_url: str, clock: Clock, tmp_path: Path) -> None:
    """A socket file without a server is replaced. One worker serves it, whatever the settings."""
    path = tmp_path / "socket"
    server = Server(tmp_path / "data", database_url, clock, address=f"unix:{path}")
    with serving(server):
        assert server.address == f"unix:{path}"
        async with people_at(server) as factory:
            assert await factory.account()
    assert path.is_socket(), "kill -9 leaves it"
    with serving(server):
        assert len(server.worker_pids()) == 1
        async with people_at(server) as factory:
            assert await factory.account()


async def test_two_servers_share_the_state_in_one_database(database_url: str, clock: Clock, tmp_path: Path) -> None:
    """A sign-in can continue on the other server, which also rejects codes used on the first."""
    first = Server(tmp_path / "first", database_url, clock, workers=1)
    keyring = {"TWOFACTOR_KEYRING_FILE": str(tmp_path / "first" / "keyring.json")}
    second = Server(tmp_path / "second", database_url, clock, workers=1, settings=keyring)
    # One mail folder, like one SMTP server: either server delivers the mail of both.
    second.data_dir.mkdir()
    (second.data_dir / "mail").symlink_to(first.data_dir / "mail")
    with serving(first), serving(second):
        async with people_at(first) as here, people_at(second) as there:
            owner = await here.account_with_authenticator()
            before = await here.challenge_for(owner)
            used = await there.rpc.UseBackupCode(challenge_token=before, backup_code=owner.backup_code)
            challenge = await there.challenge_for(owner)
            with refused("CODE_ALREADY_USED"):
                await here.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
            new_code = used.new_backup_code.code
            again = await here.rpc.UseBackupCode(challenge_token=challenge, backup_code=new_code)
            assert again.new_backup_code.generation == owner.generation + 2
