"""The rows of the error table for the password methods and for first-factor waits."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from tests.api.error_rows import INVALID, SPENT, STATE, Calls, Row, check
from tests.support.factories import AccountFactory
from tests.support.in_process_server import second_in_process_server
from tests.support.rpc import Refused
from tests.support.servers import Server
from tests.support.steps import (
    NEW_PASSWORD,
    change_password,
    complete_password_reset,
    request_reset_token,
    set_password,
)
from tests.support.tables import of_account
from twofactor.v1 import types_pb2
from twofactor_server.postgres import EmbeddedPostgres

OTHER = "something else again"


async def credentials_mismatch(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.signed_in_account()
    await change_password(factory, owner)
    yield factory.challenge_for(owner)


async def reauthentication_failed(factory: AccountFactory, database: str) -> Calls:
    yield change_password(factory, await factory.signed_in_account(), current="not the password")
    owner = await factory.account_without_password()
    yield change_password(factory, owner)
    yield set_password(factory, owner, proof=types_pb2.Reauthentication(password=owner.password))


async def reauthentication_required(factory: AccountFactory, database: str) -> Calls:
    yield set_password(factory, await factory.account_without_password(), proof=types_pb2.Reauthentication())


async def session_ended(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.signed_in_account()
    await factory.rpc.SignOut(session_token=owner.session_token)
    yield change_password(factory, owner)
    yield set_password(factory, owner)


async def password_rejected(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.signed_in_account()
    yield change_password(factory, owner, "password1")
    yield set_password(factory, await factory.account_without_password(), "password1")
    yield complete_password_reset(factory, await request_reset_token(factory, owner.email), "password1")


async def link_invalid(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.signed_in_account()
    token = await request_reset_token(factory, owner.email)
    yield complete_password_reset(factory, token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB"))
    await complete_password_reset(factory, token)
    yield complete_password_reset(factory, token, OTHER)


async def attempts_throttled(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account()
    owner.password = "not the password"
    for _ in range(5):
        with pytest.raises(Refused):
            await factory.challenge_for(owner)
    yield factory.challenge_for(owner)


async def conflict(factory: AccountFactory, database: str) -> Calls:
    yield set_password(factory, await factory.signed_in_account())


async def request_id_reused(factory: AccountFactory, database: str) -> Calls:
    owner, request_id = await factory.signed_in_account(), str(uuid4())
    await change_password(factory, owner, request_id=request_id)
    yield change_password(factory, owner, OTHER, request_id)
    owner, request_id = await factory.account_without_password(), str(uuid4())
    await set_password(factory, owner, request_id=request_id)
    yield set_password(factory, owner, OTHER, request_id)


TABLE: list[tuple[Callable[[AccountFactory, str], Calls], Row]] = [
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
async def test_the_row_of_the_error_table(
    factory: AccountFactory, postgres: EmbeddedPostgres, story: Callable[[AccountFactory, str], Calls], row: Row
) -> None:
    """By each method that can return it."""
    async for call in story(factory, postgres.url):
        with pytest.raises(Refused) as caught:
            await call
        check(caught.value, story.__name__.upper(), row)


async def test_overloaded(factory: AccountFactory, server: Server, tmp_path: Path, postgres: EmbeddedPostgres) -> None:
    """With all hashing slots in use, calls are refused, nothing is charged, and no link is used up."""
    owner = await factory.signed_in_account()
    token = await request_reset_token(factory, owner.email)
    async with second_in_process_server(server, tmp_path) as inside:
        local = factory.over(inside.channel)
        before = await of_account(postgres.url, owner.account_id)
        with contextlib.ExitStack() as taken:
            for _ in range(inside.hashing_slots):
                taken.enter_context(inside.hashing.reserve())
            for call in (
                change_password(local, owner),
                set_password(local, owner),
                complete_password_reset(local, token),
            ):
                with pytest.raises(Refused) as caught:
                    await call
                check(caught.value, "OVERLOADED", Row(SPENT, {}, retry=True))
        assert await of_account(postgres.url, owner.account_id) == before
        await complete_password_reset(local, token)
    owner.password = NEW_PASSWORD
    await factory.challenge_for(owner)
