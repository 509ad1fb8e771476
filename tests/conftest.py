"""What every test stands on: a real PostgreSQL, a real server of two processes, a real channel."""

import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from tests.people import People, people_of
from tests.providers.both import Providers, both
from tests.refusals import Refused, refusal
from tests.servers import Clock, Server, serving
from twofactor_server.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """One PostgreSQL a test process. It need not outlive a power cut, so it does not wait for the disk.

    Started by root it runs as another user, who must be able to pass through the folder: pytest's own are closed.
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
    """The time that the server obeys."""
    return Clock(tmp_path_factory.mktemp("clock") / "now")


@pytest.fixture(scope="session")
def providers(clock: Clock) -> Iterator[Providers]:
    """The identity providers that the server knows."""
    with both(lambda: clock.now.timestamp()) as running:
        yield running


@pytest.fixture(scope="session")
def server(
    postgres: EmbeddedPostgres,
    clock: Clock,
    providers: Providers,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Server]:
    """One server of two processes for all tests of this process; each test brings accounts of its own."""
    with serving(Server(tmp_path_factory.mktemp("server"), postgres.url, clock, providers=providers)) as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def channel(server: Server) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the server."""
    async with grpc.aio.insecure_channel(server.address) as channel:
        yield channel


@pytest.fixture
def people(server: Server, channel: grpc.aio.Channel) -> People:
    """Builders of people and accounts."""
    return people_of(server, channel)


Refusing = Callable[[str], contextlib.AbstractContextManager[list[Refused]]]


@pytest.fixture
def refused() -> Refusing:
    """``with refused("REASON") as said:`` - the block is refused for that reason; ``said[0]`` tells the details."""

    @contextlib.contextmanager
    def expecting(reason: str) -> Iterator[list[Refused]]:
        said: list[Refused] = []
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            yield said
        said.append(refusal(caught.value))
        assert said[0].reason == reason, said[0]

    return expecting


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's folder."""
    return Path(__file__).parent.parent
