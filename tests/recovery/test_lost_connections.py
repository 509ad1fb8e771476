"""Broken connections: an answer lost on its way to the client, a connection to PostgreSQL cut around a COMMIT."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
import pytest_asyncio

from tests.recovery.stories import STORIES, Story
from tests.support.factories import AccountFactory, factory_for
from tests.support.fault_proxy import AnswerProxy, Cut, DatabaseProxy
from tests.support.rpc import Refused
from tests.support.servers import Server, second_server

COMMITS = [
    pytest.param(story, nth, cut, id=f"{story.__name__}-{story.passes[nth - 1]}-{cut.name.lower()}")
    for story in STORIES
    for nth in range(1, len(story.passes) + 1)
    for cut in Cut
]


@pytest_asyncio.fixture(scope="module")
async def proxied(
    server: Server, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Server, DatabaseProxy]]:
    """A second server that reaches the database through a proxy."""
    proxy = DatabaseProxy()
    async with proxy.to(server.database_url) as url:
        second = second_server(server, tmp_path_factory.mktemp("proxied"), database_url=url)
        await asyncio.to_thread(second.start)
        try:
            yield second, proxy
        finally:
            second.kill()


@pytest.mark.parametrize("story_type", STORIES)
async def test_a_retry_after_a_lost_answer_has_one_effect(
    story_type: type[Story], factory: AccountFactory, server: Server
) -> None:
    """The server has done it and answered, and the answer did not arrive."""
    story = story_type()
    await story.prepare(factory)
    proxy = AnswerProxy()
    async with proxy.to(server.address) as address, grpc.aio.insecure_channel(address) as channel:
        await channel.channel_ready()
        proxy.armed = True
        with pytest.raises(Refused) as lost:
            await story.call(factory.over(channel))
    assert lost.value.code is grpc.StatusCode.UNAVAILABLE
    await story.retry_and_verify(factory)


@pytest.mark.parametrize(("story_type", "nth", "cut"), COMMITS)
async def test_a_retry_after_a_cut_commit_has_one_effect(
    story_type: type[Story], nth: int, cut: Cut, factory: AccountFactory, proxied: tuple[Server, DatabaseProxy]
) -> None:
    """The outcome of a COMMIT without an answer is unknown: the call ends with UNAVAILABLE, and the retry finds out.

    The call must not succeed: only a confirmed commit grants a sign-in.
    """
    story = story_type()
    await story.prepare(factory)
    second, proxy = proxied
    async with grpc.aio.insecure_channel(second.address) as channel:
        proxy.arm(cut, nth)
        with pytest.raises(Refused) as unknown:
            await story.call(factory_for(second, channel))
    assert unknown.value.code is grpc.StatusCode.UNAVAILABLE
    await story.retry_and_verify(factory)
