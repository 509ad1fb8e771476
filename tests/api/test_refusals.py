"""The rows of the error table, over a real channel: status, reason, details and trailers."""

import asyncio
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import grpc
import pytest

from tests.api.error_rows import INVALID, MISSING, SPENT, STATE, Calls, Row, check
from tests.support.factories import AccountFactory, unused_email
from tests.support.in_process_server import second_in_process_server
from tests.support.rpc import Refused
from tests.support.servers import Server
from tests.support.steps import STEP, from_network, sign_in_by_backup_code, wrong_digits
from tests.support.tables import of_account, query
from twofactor_server.postgres import EmbeddedPostgres

UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"


async def credentials_mismatch(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account()
    owner.password = "not the password"
    yield factory.challenge_for(owner)


async def reauthentication_failed(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account_with_authenticator()
    yield factory.rpc.RegenerateBackupCode(**owner.by_password(password="not the password"))


async def reauthentication_required(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account_with_authenticator()
    for method in ("StartAuthenticatorSetup", "RegenerateBackupCode", "RemoveAuthenticator"):
        yield getattr(factory.rpc, method)(session_token=owner.session_token)


async def code_mismatch(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.wrong_code_at(factory.clock.now))
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code="abcd 1234 ef56 7890")
    setup = await factory.rpc.StartAuthenticatorSetup(**owner.by_password())
    yield factory.rpc.ConfirmAuthenticatorSetup(
        session_token=owner.session_token, setup_id=setup.setup_id, code="000000"
    )
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    yield factory.rpc.VerifyEmailCode(
        challenge_token=challenge, code=wrong_digits(await factory.mailbox.code(owner.email))
    )


async def code_superseded(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    code = await factory.mailbox.code(owner.email)
    await factory.rpc.SendEmailCode(challenge_token=challenge)
    yield factory.rpc.VerifyEmailCode(challenge_token=challenge, code=code)


async def code_expired(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    code = await factory.mailbox.code(owner.email)
    factory.clock.advance(timedelta(seconds=300))
    yield factory.rpc.VerifyEmailCode(challenge_token=challenge, code=code)


async def app_code_already_used(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account_with_authenticator()
    yield factory.rpc.VerifyAuthenticatorCode(
        challenge_token=await factory.challenge_for(owner), code=owner.code_at(factory.clock.now)
    )


async def backup_code_already_used(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account_with_authenticator()
    used = owner.backup_code
    await sign_in_by_backup_code(factory, owner)
    challenge = await factory.challenge_for(owner)
    for _ in range(2):
        yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=used)


async def challenge_expired(factory: AccountFactory, database: str) -> Calls:
    owner, mail = await factory.account_with_authenticator(), await factory.account()
    challenge, mailed = await factory.challenge_for(owner), await factory.challenge_for(mail)
    factory.clock.advance(timedelta(minutes=10))
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(factory.clock.now))
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    yield factory.rpc.SendEmailCode(challenge_token=mailed)
    yield factory.rpc.VerifyEmailCode(challenge_token=mailed, code="123456")


async def challenge_consumed(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account()
    challenge = await factory.challenge_for(owner)
    await factory.rpc.VerifyEmailCode(challenge_token=challenge, code=await factory.mailbox.code(owner.email))
    yield factory.rpc.SendEmailCode(challenge_token=challenge)
    yield factory.rpc.VerifyEmailCode(challenge_token=challenge, code="123456")
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code="abcd 1234 ef56 7890")


async def challenge_exhausted(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    for number in range(5):
        with pytest.raises(Refused):
            await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=f"abcd 1234 ef56 789{number}")
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    factory.clock.advance(STEP)
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code=owner.code_at(factory.clock.now))


async def account_not_found(factory: AccountFactory, database: str) -> Calls:
    yield factory.rpc.GetAccount(account_id=UNKNOWN_ID)
    yield factory.rpc.GetAccount(email=unused_email())


async def method_not_active(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.signed_in_account()
    challenge = await factory.challenge_for(owner)
    yield factory.rpc.UseBackupCode(challenge_token=challenge, backup_code="abcd 1234 ef56 7890")
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=challenge, code="123456")
    yield factory.rpc.RegenerateBackupCode(**owner.by_password())
    yield factory.rpc.ConfirmBackupCodeSaved(session_token=owner.session_token, generation=1)


async def setup_expired(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.signed_in_account()
    yield factory.rpc.ConfirmAuthenticatorSetup(session_token=owner.session_token, setup_id=UNKNOWN_ID, code="123456")


async def authenticator_disabled(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account_with_authenticator()
    statement = "UPDATE second_factors SET authenticator_disabled = true WHERE account_id = $1::text::uuid"
    await query(database, statement, owner.account_id)
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=await factory.challenge_for(owner), code="123456")


async def generation_superseded(factory: AccountFactory, database: str) -> Calls:
    yield factory.rpc.ConfirmBackupCodeSaved(
        session_token=(await factory.account_with_authenticator()).session_token, generation=2
    )


async def attempts_throttled(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    for _ in range(5):
        with pytest.raises(Refused):
            await factory.rpc.VerifyAuthenticatorCode(
                challenge_token=challenge, code=owner.wrong_code_at(factory.clock.now)
            )
    yield factory.rpc.VerifyAuthenticatorCode(challenge_token=await factory.challenge_for(owner), code="123456")


async def delivery_throttled(factory: AccountFactory, database: str) -> Calls:
    owner = await factory.account()
    for _ in range(5):
        challenge = await factory.challenge_for(owner)
    yield factory.challenge_for(owner)
    yield factory.rpc.SendEmailCode(challenge_token=challenge)
    for network in (1, 2):
        await factory.rpc.SendEmailCode(challenge_token=challenge, client=from_network(network))
    yield factory.rpc.SendEmailCode(challenge_token=challenge, client=from_network(3))


async def password_rejected(factory: AccountFactory, database: str) -> Calls:
    yield factory.rpc.CreateAccount(email=unused_email(), password="1234567")


async def email_taken(factory: AccountFactory, database: str) -> Calls:
    yield factory.rpc.CreateAccount(email=(await factory.account()).email.upper())


async def request_id_reused(factory: AccountFactory, database: str) -> Calls:
    request = {"email": unused_email(), "request_id": str(uuid4())}
    for _ in range(2):
        await factory.rpc.CreateAccount(**request)
    yield factory.rpc.CreateAccount(**request, password="another password")
    yield factory.rpc.CreateAccount(**request | {"email": unused_email()})


async def request_id_expired(factory: AccountFactory, database: str) -> Calls:
    owner, request_id = await factory.account_with_authenticator(), str(uuid4())
    await factory.rpc.RegenerateBackupCode(**owner.by_password(), request_id=request_id)
    await factory.rpc.RegenerateBackupCode(**owner.by_password())
    yield factory.rpc.RegenerateBackupCode(**owner.by_password(), request_id=request_id)


LEFT, MOMENT = "[0-4]", r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"
TABLE: list[tuple[Callable[[AccountFactory, str], Calls], Row]] = [
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


@pytest.mark.parametrize(("story", "row"), TABLE, ids=[story.__name__ for story, _ in TABLE])
async def test_the_row_of_the_error_table(
    factory: AccountFactory, postgres: EmbeddedPostgres, story: Callable[[AccountFactory, str], Calls], row: Row
) -> None:
    """By each method that can return it."""
    reason = re.sub("^(APP|BACKUP)_", "", story.__name__.upper())
    async for call in story(factory, postgres.url):
        with pytest.raises(Refused) as caught:
            await call
        check(caught.value, reason, row)


async def test_overloaded(
    factory: AccountFactory,
    server: Server,
    tmp_path: Path,
    postgres: EmbeddedPostgres,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ "Hashing queue full (nothing was charged): RESOURCE_EXHAUSTED, OVERLOADED, RetryInfo." With all hashing
    slots in use, further calls are refused at once; the correct code works when a slot is free."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    async with second_in_process_server(server, tmp_path) as inside:
        hashing, verify = threading.Event(), inside.argon2id.verify
        monkeypatch.setattr(inside.argon2id, "verify", lambda *given: hashing.wait(20) and verify(*given))
        local = factory.over(inside.channel)
        wrong = replace(owner, password="not the password")
        taken = [asyncio.ensure_future(local.challenge_for(wrong)) for _ in range(inside.hashing_slots)]
        while inside.free_slots:
            await asyncio.sleep(0.01)
        before = await of_account(postgres.url, owner.account_id)
        for call in (
            local.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, request_id=str(uuid4())),
            local.challenge_for(owner),
            local.rpc.RegenerateBackupCode(**owner.by_password(), request_id=str(uuid4())),
            local.rpc.StartAuthenticatorSetup(**owner.by_password()),
            local.rpc.RemoveAuthenticator(**owner.by_password()),
        ):
            with pytest.raises(Refused) as caught:
                await call
            check(caught.value, "OVERLOADED", Row(SPENT, {}, retry=True))
        assert await of_account(postgres.url, owner.account_id) == before
        hashing.set()
        for answer in await asyncio.gather(*taken, return_exceptions=True):
            assert isinstance(answer, Refused)
            assert answer.reason == "CREDENTIALS_MISMATCH"
        await local.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
