"""Broken wires: an answer swallowed on its way to the client, a connection cut around a COMMIT."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from tests.faults.answer_wire import AnswerWire
from tests.faults.database_wire import Cut, DatabaseWire
from tests.faults.faults import beside, end_well
from tests.faults.stories import STORIES, Story
from tests.people import People, people_of
from tests.servers import Server

COMMITS = [
    pytest.param(story, nth, cut, id=f"{story.__name__}-{story.passes[nth - 1]}-{cut.name.lower()}")
    for story in STORIES
    for nth in range(1, len(story.passes) + 1)
    for cut in Cut
]


@pytest_asyncio.fixture(scope="module")
async def wired(server: Server, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Server, DatabaseWire]]:
    """A second server whose way to the database can break."""
    wire = DatabaseWire()
    async with wire.to(server.database_url) as url:
        behind = beside(server, tmp_path_factory.mktemp("wired"), database_url=url)
        await asyncio.to_thread(behind.start)
        try:
            yield behind, wire
        finally:
            behind.kill()


@pytest.mark.parametrize("story", STORIES)
async def test_a_swallowed_answer_can_be_asked_for_again(story: type[Story], people: People, server: Server) -> None:
    """The server has done it and said so; nobody heard. The same call again comes to the same effect."""
    told = story()
    await told.prepare(people)
    wire = AnswerWire()
    async with wire.to(server.address) as address, grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        wire.armed = True
        with pytest.raises(grpc.aio.AioRpcError) as lost:
            await told.call(people_of(server, channel))
    assert lost.value.code() is grpc.StatusCode.UNAVAILABLE
    await end_well(told, people)


@pytest.mark.parametrize(("story", "nth", "cut"), COMMITS)
async def test_a_connection_cut_around_a_commit_is_resolved_by_the_repeat(
    story: type[Story], nth: int, cut: Cut, people: People, wired: tuple[Server, DatabaseWire]
) -> None:
    """Nobody can say what became of a COMMIT without an answer: UNAVAILABLE, and the repeated call finds out.

    Never is success answered on the way: a sign-in is granted by a confirmed commit only.
    """
    told = story()
    await told.prepare(people)
    behind, wire = wired
    async with grpc.aio.insecure_channel(behind.address) as channel:
        wire.arm(cut, nth)
        with pytest.raises(grpc.aio.AioRpcError) as unknown:
            await told.call(people_of(behind, channel))
    assert unknown.value.code() is grpc.StatusCode.UNAVAILABLE
    await end_well(told, people)
