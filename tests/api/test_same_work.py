"""What must not tell an address with an account from one without: the statements that a call runs, and its hashing."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import grpc
import pytest
import pytest_asyncio
from sqlalchemy import event

from tests.api.inside import Inside, serving_inside
from tests.article.password_steps import start_reset
from tests.people import People, Person
from tests.refusals import refusal
from tests.security.tables import query
from tests.servers import Server
from twofactor_server.crypto.keyring import Keyring
from twofactor_server.domain.first_factor_waits import BUDGET, subject_of
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database


@dataclass
class Watched:
    """A server whose statements are written down: what each does, to which table."""

    people: People
    inside: Inside
    said: list[str] = field(default_factory=list)

    def work(self) -> tuple[list[str], int]:
        """The statements since the last look, and how often Argon2 ran so far."""
        said, self.said[:] = list(self.said), []
        return said, self.inside.argon2id.operations


@pytest_asyncio.fixture
async def watched(server: Server, people: People, tmp_path: Path) -> AsyncIterator[Watched]:
    database = Database(server.database_url, pool_size=4)
    said: list[str] = []

    def write_down(*given: object) -> None:
        words = str(given[2]).split()
        table = words[words.index("FROM") + 1] if words[0] == "SELECT" else next(w for w in words if w.islower())
        said.append(f"{words[0]} {table}")

    event.listen(database._engine.sync_engine, "before_cursor_execute", write_down)
    keyring = Keyring.load(server.data_dir / "keyring.json")
    try:
        async with serving_inside(tmp_path, server.clock, database, keyring) as inside:
            yield Watched(People(inside.stubs, people.mailbox, people.clock), inside, said)
    finally:
        await database.close()


async def nobody() -> str:
    return f"{uuid4().hex[:12]}@example.test"


async def test_a_reset_is_as_many_statements_whoever_asks(
    watched: Watched, people: People, postgres: EmbeddedPostgres
) -> None:
    """ "Unknown address writes an equal-cost decoy": for a known address, an unknown one, a closed account, and one
    whose budget is spent, the same statements in the same order, and no hashing. It fails when an unknown address
    returns early."""
    owner, closed = await people.with_account(), await people.with_account()
    statement = "UPDATE accounts SET close_time = now() WHERE account_id = $1::text::uuid"
    await query(postgres.url, statement, closed.account_id)
    watched.work()
    known = []
    for _ in range(4):
        assert await start_reset(watched.people, owner.email) == b""
        known.append(watched.work())
    for address in (await nobody(), closed.email):
        assert await start_reset(watched.people, address) == b""
        known.append(watched.work())
    assert len(known[0][0]) == 8
    assert all(work == known[0] for work in known)
    assert known[0][1] == 0
    made = "SELECT count(*) FROM mailed_links WHERE account_id = $1::text::uuid"
    assert (await query(postgres.url, made, owner.account_id))[0][0] == 3
    assert (await query(postgres.url, made, closed.account_id))[0][0] == 0


async def refused(watched: Watched, email: str) -> tuple[list[str], int, str]:
    """A wrong password: what was done for it, and what came of it."""
    before = watched.work()[1]
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await watched.people.challenge_for(Person(email, "", "not the password"))
    said, operations = watched.work()
    return said, operations - before, refusal(caught.value).reason


async def test_a_wrong_password_is_as_much_work_at_every_count(watched: Watched, people: People) -> None:
    """Counted, charged before it is judged, and refused while it waits: alike for a known and an unknown address."""
    owner, stranger = await people.with_account(), await nobody()
    for number in range(6):
        known, unknown = await refused(watched, owner.email), await refused(watched, stranger)
        assert known == unknown, number
        assert known[1:] == ((1, "CREDENTIALS_MISMATCH") if number < 5 else (0, "ATTEMPTS_THROTTLED"))


async def test_a_spent_budget_is_as_much_work(watched: Watched, people: People, postgres: EmbeddedPostgres) -> None:
    owner, stranger = await people.signed_in(), await nobody()
    watched.people.client = type(people.client)(ip_address="198.18.77.1")
    for email in (owner.email, stranger):
        statement = "INSERT INTO first_factor_totals VALUES ($1, array_fill($2::timestamptz, ARRAY[$3::int]), $2)"
        await query(postgres.url, statement, subject_of(email), people.clock.now, BUDGET)
    known, unknown = await refused(watched, owner.email), await refused(watched, stranger)
    assert known == unknown
    assert known[1:] == (0, "ATTEMPTS_THROTTLED")
