"""Known and unknown addresses cost the same work: the same statements, and the same hashing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.support.clock import Clock
from tests.support.factories import AccountFactory, Owner, unused_email
from tests.support.in_process_server import InProcessServer, in_process_server
from tests.support.rpc import Refused
from tests.support.servers import Server
from tests.support.steps import from_network
from tests.support.tables import query
from twofactor_server.crypto.keyring import Keyring
from twofactor_server.domain.limits import FIRST_FACTOR_FAILURES
from twofactor_server.domain.throttling import subject_of
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database
from twofactor_server.storage.pool import PooledConnection


@dataclass
class Watched:
    """A server whose statements are recorded, each with its kind and table."""

    factory: AccountFactory
    inside: InProcessServer
    statements: list[str] = field(default_factory=list)

    def work(self) -> tuple[list[str], int]:
        """The statements since the last call, and the number of Argon2 operations so far."""
        statements, self.statements[:] = list(self.statements), []
        return statements, self.inside.argon2id.operations


@pytest_asyncio.fixture
async def watched(
    server: Server, factory: AccountFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Watched]:
    database = Database(server.database_url, pool_size=4)
    statements: list[str] = []

    def record_statement(record: Any) -> None:
        words = record.query.split()
        if words[0] == "SELECT" and "FROM" in words:
            statements.append(f"SELECT {words[words.index('FROM') + 1]}")
        elif words[0] in ("INSERT", "UPDATE", "DELETE"):
            statements.append(f"{words[0]} {next(word for word in words if word.islower())}")

    connect = database._pool._connect

    async def connect_and_log() -> PooledConnection:
        connection = await connect()  # its own statements are not recorded
        connection.driver.add_query_logger(record_statement)
        return connection

    monkeypatch.setattr(database._pool, "_connect", connect_and_log)
    keyring = Keyring.load(server.data_dir / "keyring.json")
    try:
        async with in_process_server(tmp_path, server.clock, database, keyring) as inside:
            yield Watched(factory.over(inside.channel), inside, statements)
    finally:
        await database.close()


async def unknown_email() -> str:
    return unused_email()


async def test_a_reset_executes_the_same_statements(
    watched: Watched, factory: AccountFactory, postgres: EmbeddedPostgres
) -> None:
    """ "Unknown address writes an equal-cost decoy": the same statements in the same order, without hashing, for a
    known address, an unknown one, a closed account, and an exhausted budget. Fails if an unknown address returns
    early."""
    owner, closed = await factory.account(), await factory.account()
    statement = "UPDATE accounts SET close_time = now() WHERE account_id = $1::text::uuid"
    await query(postgres.url, statement, closed.account_id)
    watched.work()
    known = []
    for _ in range(4):
        assert (await watched.factory.rpc.StartPasswordReset(email=owner.email)).SerializeToString() == b""
        known.append(watched.work())
    for address in (await unknown_email(), closed.email):
        assert (await watched.factory.rpc.StartPasswordReset(email=address)).SerializeToString() == b""
        known.append(watched.work())
    assert len(known[0][0]) == 8
    assert all(work == known[0] for work in known)
    assert known[0][1] == 0
    made = "SELECT count(*) FROM mailed_links WHERE account_id = $1::text::uuid"
    assert (await query(postgres.url, made, owner.account_id))[0][0] == 3
    assert (await query(postgres.url, made, closed.account_id))[0][0] == 0


async def work_of_wrong_password(watched: Watched, email: str) -> tuple[list[str], int, str]:
    """The statements, Argon2 operations and refusal reason of a sign-in with a wrong password."""
    before = watched.work()[1]
    with pytest.raises(Refused) as caught:
        await watched.factory.challenge_for(Owner(email, "", "not the password"))
    statements, operations = watched.work()
    return statements, operations - before, caught.value.reason


async def test_a_wrong_password_costs_the_same_at_every_count(watched: Watched, factory: AccountFactory) -> None:
    """Counted, charged before verification, and throttled: the same for a known and an unknown address."""
    owner, attacker = await factory.account(), await unknown_email()
    for number in range(6):
        known, unknown = (
            await work_of_wrong_password(watched, owner.email),
            await work_of_wrong_password(watched, attacker),
        )
        assert known == unknown, number
        assert known[1:] == ((1, "CREDENTIALS_MISMATCH") if number < 5 else (0, "ATTEMPTS_THROTTLED"))


async def test_an_exhausted_budget_costs_the_same(
    watched: Watched, factory: AccountFactory, clock: Clock, postgres: EmbeddedPostgres
) -> None:
    owner, attacker = await factory.signed_in_account(), await unknown_email()
    watched.factory = watched.factory.from_client(from_network(77))
    for email in (owner.email, attacker):
        statement = "INSERT INTO first_factor_totals VALUES ($1, array_fill($2::timestamptz, ARRAY[$3::int]), $2)"
        await query(postgres.url, statement, subject_of(email), clock.now, FIRST_FACTOR_FAILURES.count)
    known, unknown = await work_of_wrong_password(watched, owner.email), await work_of_wrong_password(watched, attacker)
    assert known == unknown
    assert known[1:] == (0, "ATTEMPTS_THROTTLED")
