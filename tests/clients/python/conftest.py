"""Fixtures: a blocking and an asyncio client, connected to the test server."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from tests.support.servers import Server
from twofactor_client import AsyncTwoFactor, TwoFactor


@pytest.fixture
def blocking(server: Server) -> Iterator[TwoFactor]:
    with TwoFactor(server.address) as client:
        yield client


@pytest_asyncio.fixture
async def asynchronous(server: Server) -> AsyncIterator[AsyncTwoFactor]:
    async with AsyncTwoFactor(server.address) as client:
        yield client
