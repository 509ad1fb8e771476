"""The conformance cases with the Python package: with the blocking client, and, marked `slow`, with the asyncio client.

`make test-clients` runs them with both clients and with the packages of the other languages.
"""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from clients.conformance.case import Case, all_cases
from clients.conformance.driver import Driver, start_driver
from clients.conformance.environment import Environment, environment_for
from clients.conformance.runner import run_case
from tests.support.servers import Server

DRIVER = (sys.executable, "clients/python/conformance/driver.py")


@pytest_asyncio.fixture(scope="module")
async def environment(server: Server) -> AsyncIterator[Environment]:
    async with environment_for(server) as environment:
        yield environment


@pytest_asyncio.fixture(
    scope="module", params=[(), pytest.param(("--asyncio",), marks=pytest.mark.slow)], ids=["blocking", "asyncio"]
)
async def driver(request: pytest.FixtureRequest, repository: Path) -> AsyncIterator[Driver]:
    async with start_driver([*DRIVER, *request.param], repository) as driver:
        yield driver


@pytest.mark.parametrize("case", all_cases(), ids=str)
async def test_case_passes_without_warnings(case: Case, environment: Environment, driver: Driver) -> None:
    await run_case(case, environment, driver)
    assert driver.read_stderr() == ""
