"""What a transaction costs in the server's process, for four ways to execute the same statements.

    .venv/bin/python -m bench.storage_execution

The unit of work is that of a completed sign-in: BEGIN, lock the second factor and the challenge, charge an attempt,
write session, reply and audit event, COMMIT. All ways run against one embedded PostgreSQL in interleaved rounds, so
that a change of the machine's speed affects all of them. Only the CPU time of this process is counted: PostgreSQL does
the same work for each.
"""

import gc
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvloop
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import create_async_engine

from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database
from twofactor_server.storage.dsn import parse_dsn
from twofactor_server.storage.migrate import migrate
from twofactor_server.storage.schema import audit_events, challenges, replies, second_factors, sessions
from twofactor_server.storage.statements import Statement, insert_row, param

ROUNDS = 7
UNITS = 100
"""Units of work that each way runs in one round."""

NOW = datetime(2026, 7, 2, 12, 0, tzinfo=UTC)

_account = second_factors.c.account_id == param("account_id")
_challenge = (challenges.c.account_id == param("account_id"), challenges.c.challenge_id == param("challenge_id"))
QUERIES = (
    select(second_factors).where(_account).with_for_update(key_share=True),
    select(challenges).where(*_challenge).with_for_update(key_share=True),
    update(challenges)
    .where(*_challenge, challenges.c.attempts < 5)
    .values(attempts=challenges.c.attempts + 1)
    .returning(challenges.c.attempts),
)
INSERTS = (insert_row(sessions), insert_row(replies), insert_row(audit_events))

QUERY_STATEMENTS = tuple(Statement(clause) for clause in QUERIES)
INSERT_STATEMENTS = tuple(Statement(clause) for clause in INSERTS)

HAND_WRITTEN_QUERIES = (
    "SELECT * FROM second_factors WHERE account_id = $1 FOR NO KEY UPDATE",
    "SELECT * FROM challenges WHERE account_id = $1 AND challenge_id = $2 FOR NO KEY UPDATE",
    "UPDATE challenges SET attempts = attempts + 1 WHERE account_id = $1 AND challenge_id = $2 AND attempts < 5 "
    "RETURNING attempts",
)
HAND_WRITTEN_INSERTS = (
    "INSERT INTO sessions (account_id, challenge_id, session_id, token_digest, first_factor, proof, proof_time, "
    "ip_address, user_agent, create_time, expire_time, last_active_time, remembered, end_time) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    "INSERT INTO replies (account_id, scope_id, request_id, method, fingerprint, session_id, generation, key_id, "
    "sealed, create_time, expire_time) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    "INSERT INTO audit_events (account_id, event_id, time, action, outcome, factor, caller, call_id, ip_address, "
    "user_agent, challenge_id, session_id, details) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
)


@dataclass(frozen=True, slots=True)
class Unit:
    """The values of one unit of work, by name, for each query and each insert."""

    queries: Sequence[dict[str, Any]]
    inserts: Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to execute a unit. ``prepare`` brings its values into the form that ``run`` needs, before time is taken."""

    name: str
    run: Callable[[Unit], Awaitable[None]]
    prepare: Callable[[Unit], Unit] = lambda unit: unit


def new_unit(account_id: UUID, challenge_id: UUID) -> Unit:
    challenge = {"account_id": account_id, "challenge_id": challenge_id}
    session_id = uuid4()
    inserts = [new_session(challenge, session_id), new_reply(challenge, session_id), new_event(challenge, session_id)]
    return Unit([{"account_id": account_id}, challenge, challenge], inserts)


def new_session(challenge: dict[str, UUID], session_id: UUID) -> dict[str, Any]:
    return {
        **challenge,
        "session_id": session_id,
        "token_digest": session_id.bytes,
        "first_factor": "password",
        "proof": "authenticator",
        "proof_time": NOW,
        "ip_address": "192.0.2.10",
        "user_agent": "Firefox",
        "create_time": NOW,
        "expire_time": NOW,
        "last_active_time": NOW,
        "remembered": False,
        "end_time": None,
    }


def new_reply(challenge: dict[str, UUID], session_id: UUID) -> dict[str, Any]:
    return {
        "account_id": challenge["account_id"],
        "scope_id": challenge["challenge_id"],
        "request_id": uuid4(),
        "method": "UseAuthenticatorCode",
        "fingerprint": bytes(32),
        "session_id": session_id,
        "generation": None,
        "key_id": "1",
        "sealed": bytes(200),
        "create_time": NOW,
        "expire_time": NOW,
    }


def new_event(challenge: dict[str, UUID], session_id: UUID) -> dict[str, Any]:
    return {
        "account_id": challenge["account_id"],
        "event_id": uuid4(),
        "time": NOW,
        "action": "use_authenticator_code",
        "outcome": "success",
        "factor": "authenticator",
        "caller": "local",
        "call_id": "c0ffee",
        "ip_address": "192.0.2.10",
        "user_agent": "Firefox",
        "challenge_id": challenge["challenge_id"],
        "session_id": session_id,
        "details": {"attempts_left": 4},
    }


@asynccontextmanager
async def sqlalchemy_engine(url: str) -> AsyncIterator[Way]:
    engine = create_async_engine("postgresql+asyncpg://", connect_args=parse_dsn(url), hide_parameters=True)

    def with_prefix(values: dict[str, Any]) -> dict[str, Any]:
        return {param(name).key: value for name, value in values.items()}

    def prepare(unit: Unit) -> Unit:
        return Unit(*([with_prefix(values) for values in part] for part in (unit.queries, unit.inserts)))

    async def run(unit: Unit) -> None:
        async with engine.begin() as connection:
            for query, values in zip(QUERIES, unit.queries, strict=True):
                (await connection.execute(query, values)).one()
            for insert, values in zip(INSERTS, unit.inserts, strict=True):
                await connection.execute(insert, values)

    yield Way("(a) SQLAlchemy AsyncEngine, Core statements", run, prepare)
    await engine.dispose()


@asynccontextmanager
async def asyncpg_pool(url: str) -> AsyncIterator[Way]:
    """asyncpg's pool without its RESET between two uses, because the others do not reset their connections either."""
    async with asyncpg.create_pool(**parse_dsn(url), min_size=1, init=_set_codec, reset=_no_reset) as pool:

        async def run(unit: Unit) -> None:
            async with pool.acquire() as connection, connection.transaction():
                for query, values in zip(QUERY_STATEMENTS, unit.queries, strict=True):
                    await connection.fetchrow(query.sql, *query.arguments(values))
                for insert, values in zip(INSERT_STATEMENTS, unit.inserts, strict=True):
                    await connection.execute(insert.sql, *insert.arguments(values))

        yield Way("(b) asyncpg.Pool, compiled statements", run)


@asynccontextmanager
async def our_pool(url: str) -> AsyncIterator[Way]:
    database = Database(url)

    async def run(unit: Unit) -> None:
        async with database.transaction() as tx:
            for query, values in zip(QUERY_STATEMENTS, unit.queries, strict=True):
                await tx.fetch_row(query, **values)
            for insert, values in zip(INSERT_STATEMENTS, unit.inserts, strict=True):
                await tx.execute(insert, **values)

    yield Way("(c) Database.transaction, compiled statements", run)
    await database.close()


@asynccontextmanager
async def raw_connection(url: str) -> AsyncIterator[Way]:
    connection = await asyncpg.connect(**parse_dsn(url))
    await _set_codec(connection)

    async def run(unit: Unit) -> None:
        await connection.execute("BEGIN")
        for query, values in zip(HAND_WRITTEN_QUERIES, unit.queries, strict=True):
            await connection.fetchrow(query, *values.values())
        for insert, values in zip(HAND_WRITTEN_INSERTS, unit.inserts, strict=True):
            await connection.execute(insert, *values.values())
        await connection.execute("COMMIT")

    yield Way("(d) one asyncpg connection, hand-written SQL", run)
    await connection.close()


async def _set_codec(connection: "asyncpg.Connection[Any]") -> None:
    await connection.set_type_codec("jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads)


async def _no_reset(connection: "asyncpg.Connection[Any]") -> None:
    pass


async def create_challenges(url: str, account_id: UUID) -> list[UUID]:
    """As many challenges of a new account as there are units in all."""
    count = (ROUNDS + 1) * UNITS * 4
    connection = await asyncpg.connect(url)
    await connection.execute(
        "INSERT INTO accounts (account_id, email, create_time) VALUES ($1, 'a@example.test', $2)", account_id, NOW
    )
    await connection.execute(
        "INSERT INTO second_factors (account_id, method, generation) VALUES ($1, 'email', 0)", account_id
    )
    rows = await connection.fetch(
        "INSERT INTO challenges (account_id, challenge_id, token_digest, caller, email, first_factor, "
        "password_version, create_time, expire_time) "
        "SELECT $1, gen_random_uuid(), number::text::bytea, 'local', 'a@example.test', 'password', 1, $2, $2 "
        "FROM generate_series(1, $3) AS number RETURNING challenge_id",
        account_id,
        NOW,
        count,
    )
    await connection.close()
    return [row[0] for row in rows]


async def cpu_per_unit(way: Way, units: Sequence[Unit]) -> float:
    """Microseconds of this process for each unit."""
    prepared = [way.prepare(unit) for unit in units]
    gc.collect()
    start = time.process_time()
    for unit in prepared:
        await way.run(unit)
    return (time.process_time() - start) / len(units) * 1e6


async def measure(url: str) -> dict[str, list[float]]:
    """The figures of each way, one for each round. The first round warms up the caches and is not counted."""
    await migrate(url)
    account_id = uuid4()
    challenge_ids = iter(await create_challenges(url, account_id))
    async with (
        sqlalchemy_engine(url) as a,
        asyncpg_pool(url) as b,
        our_pool(url) as c,
        raw_connection(url) as d,
    ):
        figures: dict[str, list[float]] = {way.name: [] for way in (a, b, c, d)}
        for number in range(ROUNDS + 1):
            for way in (a, b, c, d):
                units = [new_unit(account_id, next(challenge_ids)) for _ in range(UNITS)]
                figure = await cpu_per_unit(way, units)
                if number:
                    figures[way.name].append(figure)
    return figures


def print_table(figures: dict[str, list[float]]) -> None:
    ceiling = statistics.median(list(figures.values())[-1])
    print(f"CPU of the process in µs per unit of work; {ROUNDS} rounds of {UNITS} units")
    print(f"{'':45}{'min':>8}{'median':>8}{'max':>8}{'median / (d)':>14}")
    for name, values in figures.items():
        median = statistics.median(values)
        print(f"{name:45}{min(values):8.0f}{median:8.0f}{max(values):8.0f}{median / ceiling:14.2f}")


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="twofactor-bench-")).resolve()
    # PostgreSQL runs as another user if root starts it, who must be able to pass through the folder.
    folder.chmod(0o711)
    try:
        with EmbeddedPostgres(folder / "data", lambda _: None, settings={"fsync": "off"}) as postgres:
            print_table(uvloop.run(measure(postgres.url)))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
