"""Shared fixtures: a real PostgreSQL, a server of two processes, and a channel to it."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio
from hypothesis import settings

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, factory_for
from tests.support.mailbox import Mailbox
from tests.support.providers.both import Providers, both
from tests.support.rpc import Rpc
from tests.support.servers import Server, serving
from twofactor_server.postgres import EmbeddedPostgres

# The duration of an example says nothing on a busy machine.
settings.register_profile("without-deadline", deadline=None)
settings.load_profile("without-deadline")


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL per test process, without fsync: the tests do not need it to survive a power cut.

    If root starts it, it runs as another user, who must be able to enter the folder; pytest's own folders are closed.
    """
    folder = Path(tempfile.mkdtemp(prefix="twofactor-tests-")).resolve()
    folder.chmod(0o711)
    settings = {"fsync": "off", "max_connections": "200"}
    try:
        with EmbeddedPostgres(folder / "data", lambda _: None, settings=settings) as running:
            yield running
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """The clock that the server reads."""
    return Clock(tmp_path_factory.mktemp("clock") / "now")


@pytest.fixture(scope="session")
def providers(clock: Clock) -> Iterator[Providers]:
    """The identity providers that the server is configured with."""
    with both(lambda: clock.now.timestamp()) as running:
        yield running


@pytest.fixture(scope="session")
def server(
    postgres: EmbeddedPostgres,
    clock: Clock,
    providers: Providers,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """One server of two processes for all tests of this test process; each test creates its own accounts."""
    with serving(Server(tmp_path_factory.mktemp("server"), postgres.url, clock, providers=providers)) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the server."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


@pytest.fixture(scope="session")
def factory(server: Server, channel: grpc.aio.Channel) -> AccountFactory:
    """Creates accounts on the server."""
    return factory_for(server, channel)


@pytest.fixture(scope="session")
def rpc(factory: AccountFactory) -> Rpc:
    """Calls the server."""
    return factory.rpc


@pytest.fixture(scope="session")
def mailbox(server: Server) -> Mailbox:
    """The e-mails that the server has delivered."""
    return server.mailbox


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root folder of the repository."""
    return Path(__file__).parent.parent
