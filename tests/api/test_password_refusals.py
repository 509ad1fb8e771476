"""Every row of the error table that the methods of passwords, and the waits of the first factor, can answer."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from tests.api.inside import beside
from tests.api.test_refusals import INVALID, SPENT, STATE, Calls, Row, check
from tests.article.password_steps import (
    NEW,
    change,
    complete_reset,
    reset_token,
    set_first,
    without_a_password,
)
from tests.people import People
from tests.security.tables import of_account
from tests.servers import Server
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

OTHER = "something else again"


async def credentials_mismatch(people: People, database: str) -> Calls:
    owner = await people.signed_in()
    await change(people, owner)
    yield people.challenge_for(owner)


async def reauthentication_failed(people: People, database: str) -> Calls:
    yield change(people, await people.signed_in(), current="not the password")
    owner = await without_a_password(people)
    yield change(people, owner)
    yield set_first(people, owner, given=types_pb2.Reauthentication(password=owner.password))


async def reauthentication_required(people: People, database: str) -> Calls:
    yield set_first(people, await without_a_password(people), given=types_pb2.Reauthentication())


async def session_ended(people: People, database: str) -> Calls:
    owner = await people.signed_in()
    await people.sign_out(owner.session_token)
    yield change(people, owner)
    yield set_first(people, owner)


async def password_rejected(people: People, database: str) -> Calls:
    owner = await people.signed_in()
    yield change(people, owner, "password1")
    yield set_first(people, await without_a_password(people), "password1")
    yield complete_reset(people, await reset_token(people, owner.email), "password1")


async def link_invalid(people: People, database: str) -> Calls:
    owner = await people.signed_in()
    token = await reset_token(people, owner.email)
    yield complete_reset(people, token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB"))
    await complete_reset(people, token)
    yield complete_reset(people, token, OTHER)


async def attempts_throttled(people: People, database: str) -> Calls:
    owner = await people.with_account()
    owner.password = "not the password"
    for _ in range(5):
        with pytest.raises(grpc.aio.AioRpcError):
            await people.challenge_for(owner)
    yield people.challenge_for(owner)


async def conflict(people: People, database: str) -> Calls:
    yield set_first(people, await people.signed_in())


async def request_id_reused(people: People, database: str) -> Calls:
    owner, request_id = await people.signed_in(), str(uuid4())
    await change(people, owner, request_id=request_id)
    yield change(people, owner, OTHER, request_id)
    owner, request_id = await without_a_password(people), str(uuid4())
    await set_first(people, owner, request_id=request_id)
    yield set_first(people, owner, OTHER, request_id)


TABLE: list[tuple[Callable[[People, str], Calls], Row]] = [
    (credentials_mismatch, Row(INVALID, {})),
    (reauthentication_failed, Row(INVALID, {})),
    (reauthentication_required, Row(STATE, {})),
    (session_ended, Row(STATE, {})),
    (password_rejected, Row(INVALID, {"rule": ".+"}, ("new_password",))),
    (link_invalid, Row(STATE, {})),
    (attempts_throttled, Row(SPENT, {}, retry=True)),
    (conflict, Row(grpc.StatusCode.ABORTED, {})),
    (request_id_reused, Row(INVALID, {}, ("request_id",))),
]


@pytest.mark.parametrize(("story", "row"), TABLE, ids=[story.__name__ for story, _ in TABLE])
async def test_the_row(
    people: People, postgres: EmbeddedPostgres, story: Callable[[People, str], Calls], row: Row
) -> None:
    """The row of the contract's error table, by each method that can answer it."""
    async for call in story(people, postgres.url):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        check(caught.value, story.__name__.upper(), row)


async def test_overloaded(people: People, server: Server, tmp_path: Path, postgres: EmbeddedPostgres) -> None:
    """With every place for hashing taken whoever comes is turned away, and nothing is charged or used up."""
    owner = await people.signed_in()
    token = await reset_token(people, owner.email)
    async with beside(server, tmp_path) as inside:
        local = People(inside.stubs, people.mailbox, people.clock)
        before = await of_account(postgres.url, owner.account_id)
        with contextlib.ExitStack() as taken:
            for _ in range(inside.places):
                taken.enter_context(inside.hashing.place())
            for call in (change(local, owner), set_first(local, owner), complete_reset(local, token)):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await call
                check(caught.value, "OVERLOADED", Row(SPENT, {}, retry=True))
        assert await of_account(postgres.url, owner.account_id) == before
        await complete_reset(local, token)
    owner.password = NEW
    await people.challenge_for(owner)
