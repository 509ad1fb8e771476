"""The Python package in the conformance suite, over the blocking and the asyncio client.

The other languages' packages play the same cases in `make test-clients`.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clients.conformance.case import Case, all_cases
from clients.conformance.driver import Driver, driving
from clients.conformance.ground import Ground, standing_on
from clients.conformance.playing import play
from tests.servers import Server

DRIVER = (sys.executable, "clients/python/conformance/driver.py")


@pytest_asyncio.fixture(scope="module")
async def ground(server: Server) -> AsyncIterator[Ground]:
    """The server, and the other ways to it."""
    async with standing_on(server) as ground:
        yield ground


@pytest_asyncio.fixture(scope="module", params=[(), ("--asyncio",)], ids=["blocking", "asyncio"])
async def driver(request: pytest.FixtureRequest, repository: Path) -> AsyncIterator[Driver]:
    """The package's driver."""
    async with driving([*DRIVER, *request.param], repository) as driver:
        yield driver


@pytest.mark.parametrize("case", all_cases(), ids=str)
async def test_plays_the_case(case: Case, ground: Ground, driver: Driver) -> None:
    await play(case, ground, driver)
    assert driver.complaints() == ""
