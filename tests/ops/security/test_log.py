"""The log after an unexpected error: it identifies the error without the values that were written."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.support.factories import AccountFactory
from tests.support.in_process_server import second_in_process_server
from tests.support.rpc import CLIENT, Refused, Rpc
from tests.support.servers import Server
from tests.support.tables import query
from twofactor_server.postgres import EmbeddedPostgres

ADDRESS = "unlucky@example.test"


@pytest_asyncio.fixture
async def database_constraints(postgres: EmbeddedPostgres) -> AsyncIterator[None]:
    """Constraints that refuse one account and one user agent, as a bug would."""
    for table, rule in (("accounts", f"email <> '{ADDRESS}'"), ("sessions", "user_agent <> 'unlucky'")):
        await query(postgres.url, f"ALTER TABLE {table} ADD CONSTRAINT unlucky CHECK ({rule}) NOT VALID")
    yield
    for table in ("accounts", "sessions"):
        await query(postgres.url, f"ALTER TABLE {table} DROP CONSTRAINT unlucky")


async def test_a_failed_statement_does_not_log_its_values(
    database_constraints: None,
    factory: AccountFactory,
    rpc: Rpc,
    server: Server,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The driver's errors contain the statement's parameters ("[parameters: …]") and PostgreSQL's detail ("Failing
    row contains …"): password hashes, digests and addresses."""
    owner = await factory.account_with_authenticator()
    challenge = await factory.challenge_for(owner)
    async with second_in_process_server(server, tmp_path) as inside:
        with caplog.at_level(logging.INFO):
            account = dict(email=ADDRESS, password="a fine password")
            with pytest.raises(Refused) as caught:
                await inside.rpc.CreateAccount(**account)
            assert caught.value.reason == "INTERNAL"
            unlucky = type(CLIENT)(ip_address="192.0.2.99", user_agent="unlucky")
            local = factory.over(inside.channel)
            with pytest.raises(Refused) as caught:
                await local.rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code, client=unlucky)
            assert caught.value.reason == "INTERNAL"
    text = "\n".join([caplog.text, *(record.exc_text or "" for record in caplog.records)])
    assert "CheckViolation" in text
    for value in ("$argon2id$", ADDRESS, "192.0.2.99", owner.account_id, "Failing row", "parameters: ("):
        assert value not in text
    assert (
        await rpc.UseBackupCode(challenge_token=challenge, backup_code=owner.backup_code)
    ).new_backup_code.generation == 2
