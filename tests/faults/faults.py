"""What strikes, and how a story ends after it was struck."""

import contextlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from tests.faults.stories import Story
from tests.people import People
from tests.refusals import refusal
from tests.servers import Server, serving
from twofactor_server.flows.delivery import LEASE


def beside(
    server: Server, folder: Path, *, database_url: str = "", settings: Mapping[str, str] | None = None
) -> Server:
    """A second server, not started yet, with the same keys and mail folder, on the same database if none is given."""
    (folder / "mail").symlink_to(server.data_dir / "mail")
    keyring = {"TWOFACTOR_KEYRING_FILE": str(server.data_dir / "keyring.json")}
    url = database_url or server.database_url
    return Server(
        folder, url, server.clock, workers=1, settings=keyring | dict(settings or {}), providers=server.providers
    )


@contextlib.contextmanager
def doomed(server: Server, folder: Path, point: str) -> Iterator[Server]:
    """A second server, whose process dies at the point."""
    with serving(beside(server, folder, settings={"TWOFACTOR_TEST_CRASH_AT": point})) as running:
        yield running


async def end_well(told: Story, people: People) -> None:
    """Make the call again on a sound server, and judge the end once mails that the dead server held are free."""
    last = None
    if told.refused:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await told.call(people)
        assert refusal(refused.value).reason == told.refused
    else:
        last = await told.call(people)
    people.clock.advance(LEASE + timedelta(seconds=1))
    await told.check(people, last)
