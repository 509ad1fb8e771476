"""The log when something unexpected happens: enough to find it, and nothing that was being written."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import pytest_asyncio

from tests.api.inside import beside
from tests.people import People
from tests.refusals import refusal
from tests.security.tables import query
from tests.servers import Server
from twofactor.v1 import account_service_pb2
from twofactor_server.postgres import EmbeddedPostgres

ADDRESS = "unlucky@example.test"


@pytest_asyncio.fixture
async def refused_by_the_database(postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    """A constraint that refuses one account, and one user agent of new sessions, as a bug of ours would be."""
    for table, rule in (("accounts", f"email <> '{ADDRESS}'"), ("sessions", "user_agent <> 'unlucky'")):
        await query(postgres.url, f"ALTER TABLE {table} ADD CONSTRAINT unlucky CHECK ({rule}) NOT VALID")
    yield
    for table in ("accounts", "sessions"):
        await query(postgres.url, f"ALTER TABLE {table} DROP CONSTRAINT unlucky")


async def test_a_failing_statement_does_not_tell_its_values(
    refused_by_the_database: None, people: People, server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Never a secret in the log: the driver's errors hold the statement's parameters ("[parameters: …]") and
    PostgreSQL's detail ("Failing row contains …"), which are password hashes, digests and addresses."""
    owner = await people.with_authenticator()
    challenge = await people.challenge_for(owner)
    async with beside(server, tmp_path) as inside:
        with caplog.at_level(logging.INFO):
            account = account_service_pb2.CreateAccountRequest(email=ADDRESS, password="a fine password")
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await inside.stubs.accounts.CreateAccount(account)
            assert refusal(caught.value).reason == "INTERNAL"
            unlucky = type(people.client)(ip_address="192.0.2.99", user_agent="unlucky")
            local = People(inside.stubs, people.mailbox, people.clock)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await local.use_backup_code(challenge, owner.backup_code, client=unlucky)
            assert refusal(caught.value).reason == "INTERNAL"
    told = "\n".join([caplog.text, *(record.exc_text or "" for record in caplog.records)])
    assert "CheckViolation" in told
    for value in ("$argon2id$", ADDRESS, "192.0.2.99", owner.account_id, "Failing row", "parameters: ("):
        assert value not in told
    assert (await people.use_backup_code(challenge, owner.backup_code)).new_backup_code.generation == 2
