"""Settings and conditions with which a server does not start: a message, exit status 2, and no listener."""

import socket
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from tests.ops.app.processes import SERVING, check_refused, command, health
from tests.storage.databases import ask, migrated_database
from tests.support.clock import Clock
from tests.support.servers import Server, serving
from twofactor_server import app
from twofactor_server.flows.transactions import crash_points
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.settings import load

Given = dict[str, str]


@pytest_asyncio.fixture(scope="module")
async def database_url(postgres: EmbeddedPostgres) -> str:
    """One database for all servers of this module."""
    return await migrated_database(postgres)


@pytest.fixture
def given(database_url: str, tmp_path: Path) -> Given:
    """Settings with which the server starts."""
    return {"database_url": database_url, "data_dir": str(tmp_path / "data"), "listen": "127.0.0.1:0", "workers": "1"}


@pytest.fixture(scope="module")
def running(database_url: str, clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server."""
    with serving(Server(tmp_path_factory.mktemp("running"), database_url, clock, workers=1)) as server:
        yield server


async def check_serving(server: Server) -> None:
    """The running server is not affected."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        assert await health(channel) == SERVING


async def refused_inside(given: Given) -> str:
    """The message with which a worker fails before it listens. It runs in this process, because a process of its own
    takes a second."""
    settings = load({f"TWOFACTOR_{name.upper()}": text for name, text in given.items()})
    with pytest.raises(app.CANNOT_START) as caught:
        async with app.running(settings, settings.database_url or "", share_port=False):
            raise AssertionError("it starts")
    assert "s3cret" not in str(caught.value)
    return str(caught.value)


async def test_a_busy_address(given: Given, running: Server) -> None:
    """Although the workers of one server share a port."""
    check_refused(await command("serve", **given | {"listen": running.address}), running.address, "in use")
    await check_serving(running)


@pytest.mark.parametrize("sharing", [False, True])
async def test_an_address_that_another_program_holds(given: Given, sharing: bool) -> None:
    """Also if that program shares the port: half of its connections would reach our server."""
    with socket.socket() as holder:
        if sharing:
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        check_refused(await command("serve", **given | {"listen": address, "workers": "2"}), address)


async def test_a_socket_on_which_another_server_listens(given: Given, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as holder:
        holder.bind(str(path))
        holder.listen()
        check_refused(await command("serve", **given | {"listen": f"unix:{path}"}), str(path), "in use")
        assert path.is_socket()


async def test_a_data_folder_that_another_server_uses(given: Given, running: Server) -> None:
    """The message names the pid of the other server."""
    assert running.process
    ended = await command("serve", **given | {"data_dir": str(running.data_dir)})
    check_refused(ended, str(running.data_dir), str(running.process.pid))
    await check_serving(running)


async def test_a_worker_that_cannot_start_fails_the_server(given: Given) -> None:
    """Its message is printed once, its exit status is the server's, and the folder is unlocked."""
    named = given | {"test_mode": "1", "test_crash_at": "before-lunch", "workers": "1"}
    check_refused(await command("serve", **named), "TWOFACTOR_TEST_CRASH_AT", *crash_points())


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://mia:s3cret@/shop?host=/nowhere", "database"),
        ("mysql://mia:s3cret@db/shop", "TWOFACTOR_DATABASE_URL"),
        ("postgresql://mia:s3cret/x@db/shop", "TWOFACTOR_DATABASE_URL"),  # a slash that was not escaped
    ],
)
async def test_an_unreachable_database(given: Given, url: str, word: str) -> None:
    assert word in await refused_inside(given | {"database_url": url})


async def test_a_newer_servers_database(given: Given, postgres: EmbeddedPostgres) -> None:
    url = await migrated_database(postgres)
    await ask(url, "UPDATE alembic_version SET version_num = '9999'")
    assert "schema" in await refused_inside(given | {"database_url": url})


@pytest.mark.parametrize(("content", "mode", "word"), [("{}", 0o600, "keyring"), (None, 0o644, "chmod 600")])
async def test_an_unusable_keyring(
    given: Given, tmp_path: Path, running: Server, content: str | None, mode: int, word: str
) -> None:
    keyring = tmp_path / "keyring.json"
    keyring.write_text(content or (running.data_dir / "keyring.json").read_text())
    keyring.chmod(mode)
    sentence = await refused_inside(given | {"keyring_file": str(keyring)})
    assert str(keyring) in sentence
    assert word in sentence


@pytest.mark.parametrize(
    ("name", "text"),
    [("smtp_url", "smtp://mia:s3cret@mail.example.test"), ("mail_from", "nobody"), ("product_name", "Shop 123456")],
)
async def test_invalid_mail_settings(given: Given, name: str, text: str) -> None:
    """Detected at the start, not at the first mail."""
    assert name.upper() in await refused_inside(given | {name: text})


async def test_an_invalid_settings_file(given: Given, tmp_path: Path) -> None:
    file = tmp_path / "twofactor.toml"
    file.write_text("workers = 's3cret'\n")
    del given["workers"]
    check_refused(await command("serve", **given | {"config": str(file)}), "workers (in the settings file)")


async def test_a_worker_without_a_supervisor(given: Given) -> None:
    del given["database_url"]
    check_refused(await command("worker", **given), "supervisor")
