"""A server process that dies during a state-changing call: before a transaction, before its commit, after it."""

from pathlib import Path

import grpc
import pytest

from tests.recovery.stories import KEY_STORIES, STORIES, Story
from tests.support.factories import AccountFactory, factory_for
from tests.support.rpc import Refused
from tests.support.servers import Server, crashing_server
from twofactor_server.flows.transactions import TransactionName

POINTS = [
    pytest.param(
        story,
        point,
        id=f"{story.__name__}-{point}",
        marks=() if story in KEY_STORIES else pytest.mark.slow,
    )
    for story in STORIES
    for step in story.passes
    for point in (step.before, step.uncommitted, step.committed)
]


@pytest.mark.parametrize(("story_type", "point"), POINTS)
async def test_a_retry_after_a_crash_has_one_effect(
    story_type: type[Story], point: str, factory: AccountFactory, server: Server, tmp_path: Path
) -> None:
    """The retry finds out what was committed when the server died.

    Seen to fail without the sealed replies, at the points after the last commit of a sign-in; and without charging an
    attempt once, at every point between the charge and the verdict, where the retry cost a second attempt.
    """
    story = story_type()
    await story.prepare(factory)
    with crashing_server(server, tmp_path, point) as dying:
        async with grpc.aio.insecure_channel(dying.address) as channel:
            with pytest.raises(Refused) as died:
                await story.call(factory_for(dying, channel))
    assert died.value.code is grpc.StatusCode.UNAVAILABLE
    await story.retry_and_verify(factory)


def test_every_transaction_belongs_to_a_story() -> None:
    """A new transaction needs a story."""
    assert {step for story in STORIES for step in story.passes} == set(TransactionName)
