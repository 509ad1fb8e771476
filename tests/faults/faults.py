"""What strikes, and how a story ends after it was struck."""

import contextlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from tests.faults.stories import Story
from tests.people import People, refusal
from tests.servers import Server, serving
from twofactor_server.flows.delivery import LEASE


@contextlib.contextmanager
def doomed(server: Server, folder: Path, point: str) -> Iterator[Server]:
    """A second server on the same database, keys and mail folder, whose process dies at the point."""
    (folder / "mail").symlink_to(server.data_dir / "mail")
    settings = {
        "TWOFACTOR_TEST_CRASH_AT": point,
        "TWOFACTOR_KEYRING_FILE": str(server.data_dir / "keyring.json"),
    }
    with serving(Server(folder, server.database_url, server.clock, workers=1, settings=settings)) as running:
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
