"""Every row of the error table that can be reached, over a real channel: status, reason, details, trailers."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
from google.rpc.status_pb2 import Status

from tests.api.inside import beside
from tests.api.requests import raw
from tests.article.steps import STEP, from_network, sign_in_by_backup_code, wrong_digits
from tests.people import People
from tests.refusals import refusal
from tests.security.tables import of_account, query
from tests.servers import Server
from twofactor.v1 import account_service_pb2, two_factor_service_pb2
from twofactor_server.postgres import EmbeddedPostgres

Calls = AsyncIterator[Awaitable[object]]
NOBODY = "00000000-0000-4000-8000-000000000000"


async def credentials_mismatch(people: People, database: str) -> Calls:
    owner = await people.with_account()
    owner.password = "not the password"
    yield people.challenge_for(owner)


async def reauthentication_failed(people: People, database: str) -> Calls:
    yield people.regenerate(await people.with_authenticator(), password="not the password")


async def reauthentication_required(people: People, database: str) -> Calls:
    stub, owner = people.stubs.two_factor, await people.with_authenticator()
    for method in ("StartAuthenticatorSetup", "RegenerateBackupCode", "RemoveAuthenticator"):
        request = getattr(two_factor_service_pb2, f"{method}Request")(session_token=owner.session_token)
        yield getattr(stub, method)(request)


async def code_mismatch(people: People, database: str) -> Calls:
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    yield people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))
    yield people.use_backup_code(challenge, "abcd 1234 ef56 7890")
    setup = await people.start_setup(owner)
    yield people.confirm_setup(owner, setup.setup_id, "000000")
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    yield people.verify_email_code(challenge, wrong_digits(await people.mailbox.code(owner.email)))


async def code_superseded(people: People, database: str) -> Calls:
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email)
    await people.send_email_code(challenge)
    yield people.verify_email_code(challenge, code)


async def code_expired(people: People, database: str) -> Calls:
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    code = await people.mailbox.code(owner.email)
    people.clock.advance(timedelta(seconds=300))
    yield people.verify_email_code(challenge, code)


async def app_code_already_used(people: People, database: str) -> Calls:
    owner = await people.with_authenticator()
    yield people.verify_authenticator_code(await people.challenge_for(owner), owner.code_at(people.clock.now))


async def backup_code_already_used(people: People, database: str) -> Calls:
    owner = await people.with_authenticator()
    used = owner.backup_code
    await sign_in_by_backup_code(people, owner)
    challenge = await people.challenge_for(owner)
    for _ in range(2):
        yield people.use_backup_code(challenge, used)


async def challenge_expired(people: People, database: str) -> Calls:
    owner, mail = await people.with_authenticator(), await people.with_account()
    challenge, mailed = await people.challenge_for(owner), await people.challenge_for(mail)
    people.clock.advance(timedelta(minutes=10))
    yield people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))
    yield people.use_backup_code(challenge, owner.backup_code)
    yield people.send_email_code(mailed)
    yield people.verify_email_code(mailed, "123456")


async def challenge_consumed(people: People, database: str) -> Calls:
    owner = await people.with_account()
    challenge = await people.challenge_for(owner)
    await people.verify_email_code(challenge, await people.mailbox.code(owner.email))
    yield people.send_email_code(challenge)
    yield people.verify_email_code(challenge, "123456")
    yield people.use_backup_code(challenge, "abcd 1234 ef56 7890")


async def challenge_exhausted(people: People, database: str) -> Calls:
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    for number in range(5):
        with pytest.raises(grpc.aio.AioRpcError):
            await people.use_backup_code(challenge, f"abcd 1234 ef56 789{number}")
    yield people.use_backup_code(challenge, owner.backup_code)
    people.clock.advance(STEP)
    yield people.verify_authenticator_code(challenge, owner.code_at(people.clock.now))


async def account_not_found(people: People, database: str) -> Calls:
    stub = people.stubs.accounts
    yield stub.GetAccount(account_service_pb2.GetAccountRequest(account_id=NOBODY))
    yield stub.GetAccount(account_service_pb2.GetAccountRequest(email=f"{uuid4().hex}@example.test"))


async def method_not_active(people: People, database: str) -> Calls:
    owner = await people.signed_in()
    challenge = await people.challenge_for(owner)
    yield people.use_backup_code(challenge, "abcd 1234 ef56 7890")
    yield people.verify_authenticator_code(challenge, "123456")
    yield people.regenerate(owner)
    yield people.confirm_saved(owner.session_token, 1)


async def setup_expired(people: People, database: str) -> Calls:
    yield people.confirm_setup(await people.signed_in(), NOBODY, "123456")


async def authenticator_disabled(people: People, database: str) -> Calls:
    owner = await people.with_authenticator()
    statement = "UPDATE second_factors SET authenticator_disabled = true WHERE account_id = $1::text::uuid"
    await query(database, statement, owner.account_id)
    yield people.verify_authenticator_code(await people.challenge_for(owner), "123456")


async def generation_superseded(people: People, database: str) -> Calls:
    yield people.confirm_saved((await people.with_authenticator()).session_token, 2)


async def attempts_throttled(people: People, database: str) -> Calls:
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    for _ in range(5):
        with pytest.raises(grpc.aio.AioRpcError):
            await people.verify_authenticator_code(challenge, owner.wrong_code_at(people.clock.now))
    yield people.verify_authenticator_code(await people.challenge_for(owner), "123456")


async def delivery_throttled(people: People, database: str) -> Calls:
    owner = await people.with_account()
    for _ in range(5):
        challenge = await people.challenge_for(owner)
    yield people.challenge_for(owner)
    yield people.send_email_code(challenge)
    for network in (1, 2):
        await people.send_email_code(challenge, client=from_network(network))
    yield people.send_email_code(challenge, client=from_network(3))


async def password_rejected(people: People, database: str) -> Calls:
    request = account_service_pb2.CreateAccountRequest(email=f"{uuid4().hex}@example.test", password="1234567")
    yield people.stubs.accounts.CreateAccount(request)


async def email_taken(people: People, database: str) -> Calls:
    request = account_service_pb2.CreateAccountRequest(email=(await people.with_account()).email.upper())
    yield people.stubs.accounts.CreateAccount(request)


async def request_id_reused(people: People, database: str) -> Calls:
    request = account_service_pb2.CreateAccountRequest(email=f"{uuid4().hex}@example.test", request_id=str(uuid4()))
    for _ in range(2):
        await people.stubs.accounts.CreateAccount(request)
    request.password = "another password"
    yield people.stubs.accounts.CreateAccount(request)
    request.ClearField("password")
    request.email = f"{uuid4().hex}@example.test"
    yield people.stubs.accounts.CreateAccount(request)


async def request_id_expired(people: People, database: str) -> Calls:
    owner, request_id = await people.with_authenticator(), str(uuid4())
    await people.regenerate(owner, request_id)
    await people.regenerate(owner)
    yield people.regenerate(owner, request_id)


@dataclass(frozen=True)
class Row:
    """What the contract's table says; ``details`` maps the metadata to the form of their values."""

    code: grpc.StatusCode
    details: Mapping[str, str]
    fields: tuple[str, ...] = ()
    retry: bool = False


LEFT, MOMENT = "[0-4]", r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
INVALID, STATE = grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION
MISSING, SPENT = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.RESOURCE_EXHAUSTED
TABLE: list[tuple[Callable[[People, str], Calls], Row]] = [
    (credentials_mismatch, Row(INVALID, {})),
    (reauthentication_failed, Row(INVALID, {})),
    (reauthentication_required, Row(STATE, {})),
    (code_mismatch, Row(INVALID, {"attempts_left": LEFT})),
    (code_superseded, Row(INVALID, {"attempts_left": LEFT})),
    (code_expired, Row(STATE, {})),
    (app_code_already_used, Row(STATE, {})),
    (backup_code_already_used, Row(STATE, {"used_at": MOMENT})),
    (challenge_expired, Row(STATE, {})),
    (challenge_consumed, Row(STATE, {})),
    (challenge_exhausted, Row(STATE, {})),
    (account_not_found, Row(MISSING, {})),
    (method_not_active, Row(STATE, {"active_method": "EMAIL_CODE"})),
    (setup_expired, Row(STATE, {})),
    (authenticator_disabled, Row(STATE, {})),
    (generation_superseded, Row(STATE, {})),
    (attempts_throttled, Row(SPENT, {}, retry=True)),
    (delivery_throttled, Row(SPENT, {}, retry=True)),
    (password_rejected, Row(INVALID, {"rule": ".+"}, ("password",))),
    (email_taken, Row(grpc.StatusCode.ALREADY_EXISTS, {}, ("email",))),
    (request_id_reused, Row(INVALID, {}, ("request_id",))),
    (request_id_expired, Row(STATE, {})),
]


def check(error: grpc.aio.AioRpcError, reason: str, row: Row) -> None:
    """The refusal is the row, and carries no more than it."""
    said, sent = refusal(error), raw(error)
    assert (said.code, said.reason, said.fields) == (row.code, reason, row.fields)
    assert said.metadata.keys() == row.details.keys()
    assert all(re.fullmatch(form, said.metadata[name]) for name, form in row.details.items())
    assert (said.retry_after is not None) == row.retry
    assert said.retry_after is None or said.retry_after > 0
    throttled = {"grpc-retry-pushback-ms"} if row.code is SPENT else set()
    assert sent.trailers.keys() == {"grpc-status-details-bin"} | throttled
    assert sent.trailers.get("grpc-retry-pushback-ms", "-1") == "-1"
    details = sent.trailers["grpc-status-details-bin"]
    assert isinstance(details, bytes)
    assert len(details) < 4096
    status = Status.FromString(details)
    assert (status.code, status.message) == (row.code.value[0], sent.message)


@pytest.mark.parametrize(("story", "row"), TABLE, ids=[story.__name__ for story, _ in TABLE])
async def test_the_row(
    people: People, postgres: EmbeddedPostgres, story: Callable[[People, str], Calls], row: Row
) -> None:
    """The row of the contract's error table, by each method that can answer it."""
    reason = re.sub("^(APP|BACKUP)_", "", story.__name__.upper())
    async for call in story(people, postgres.url):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        check(caught.value, reason, row)


async def test_overloaded(
    people: People, server: Server, tmp_path: Path, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ "Hashing queue full (nothing was charged): RESOURCE_EXHAUSTED, OVERLOADED, RetryInfo." With every place taken by
    hashes that do not end, whoever else comes is turned away at once, and the right code works when there is room."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    async with beside(server, tmp_path) as inside:
        hashing, verify = threading.Event(), inside.argon2id.verify
        monkeypatch.setattr(inside.argon2id, "verify", lambda *given: hashing.wait(20) and verify(*given))
        local = People(inside.stubs, people.mailbox, people.clock)
        wrong = replace(owner, password="not the password")
        taken = [asyncio.ensure_future(local.challenge_for(wrong)) for _ in range(inside.places)]
        while inside.free:
            await asyncio.sleep(0.01)
        before = await of_account(postgres.url, owner.account_id)
        for call in (
            local.use_backup_code(challenge, owner.backup_code, str(uuid4())),
            local.challenge_for(owner),
            local.regenerate(owner, str(uuid4())),
            local.start_setup(owner),
            local.remove_authenticator(owner),
        ):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call
            check(caught.value, "OVERLOADED", Row(SPENT, {}, retry=True))
        assert await of_account(postgres.url, owner.account_id) == before
        hashing.set()
        for answer in await asyncio.gather(*taken, return_exceptions=True):
            assert isinstance(answer, grpc.aio.AioRpcError)
            assert refusal(answer).reason == "CREDENTIALS_MISMATCH"
        await local.use_backup_code(challenge, owner.backup_code)
