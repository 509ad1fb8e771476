"""Migrations: what they build is what the schema says, once, whoever else starts at the same time."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg  # type: ignore[import-untyped]
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from tests.storage.databases import ask, create_database, rows
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage import migrations
from twofactor_server.storage.address import driver_address
from twofactor_server.storage.migrate import DatabaseAhead, DatabaseUnreachable, database_time, migrate
from twofactor_server.storage.schema import metadata

# What Alembic's comparison leaves out: CHECK constraints, names, defaults. PostgreSQL spells each in its own way,
# so the same question is asked of a database that the migrations made and of one that the schema made.
QUESTIONS = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable,
               regexp_replace(column_default, '^''(.*)''::\\w+$', '\\1')
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY 1, 2
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2
    """,
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2
    """,
}


async def empty_database(postgres: EmbeddedPostgres) -> str:
    return await create_database(postgres, f"empty_{uuid4().hex}")


async def in_database(url: str, work: Callable[[Connection], Any]) -> Any:
    """Run what only SQLAlchemy's synchronous side can do, and commit."""
    address, arguments = driver_address(url)
    engine = create_async_engine(address, poolclass=NullPool, connect_args=arguments)
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


async def test_alembic_finds_no_difference_to_the_schema(database_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return found

    assert await in_database(database_url, differences) == []


@pytest.mark.parametrize("question", QUESTIONS)
async def test_the_migrations_build_what_the_schema_declares(
    database_url: str, postgres: EmbeddedPostgres, question: str
) -> None:
    """Name by name and text by text, CHECK constraints included."""
    declared = await empty_database(postgres)
    await in_database(declared, metadata.create_all)
    built = await rows(database_url, QUESTIONS[question])
    assert built == await rows(declared, QUESTIONS[question])
    assert len(built) > 20


async def test_every_key_of_an_account_begins_with_it(database_url: str) -> None:
    """ "Everything about an account carries account_id as the first column of every primary key, unique index and
    foreign key", so that the schema shards; only the look-up tables are keyed by what must be globally unique."""
    statement = """
        SELECT c.relname, i.relname, a.attname FROM pg_index x
        JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
        WHERE x.indisunique AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
    """
    keys = await rows(database_url, statement)
    others = {(table, column) for table, _, column in keys if column != "account_id"}
    assert others == {
        ("account_emails", "email"),
        ("account_creations", "request_id"),
        ("identity_owners", "issuer"),
        ("first_factor_failures", "subject"),
        ("first_factor_totals", "subject"),
    }
    foreign = await rows(database_url, "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype='f'")
    assert all(text.startswith("FOREIGN KEY (account_id") for _, text in foreign)


async def test_a_second_run_finds_nothing_to_do(postgres: EmbeddedPostgres) -> None:
    url = await empty_database(postgres)
    assert await migrate(url) is True
    assert await migrate(url) is False
    assert await ask(url, "SELECT version_num FROM alembic_version") == migrations.HEAD


def test_the_head_that_the_server_needs_is_the_newest_revision() -> None:
    """It is written down, so that a warm start need not ask Alembic."""
    config = Config()
    config.set_main_option("script_location", next(iter(migrations.__path__)))
    assert ScriptDirectory.from_config(config).get_heads() == [migrations.HEAD]


async def test_of_four_processes_at_once_one_migrates(postgres: EmbeddedPostgres) -> None:
    """The others wait and find nothing to do: servers of one database may start together.

    All four are let go at one moment, by a table of Alembic's that is never committed. With the advisory lock taken
    out, three of them died of a duplicate key in the catalogue.
    """
    url = await empty_database(postgres)
    program = "import asyncio, sys; from twofactor_server.storage.migrate import migrate; "
    program += "print(asyncio.run(migrate(sys.argv[1])))"
    holder = await asyncpg.connect(url)
    hold = holder.transaction()
    await hold.start()
    await holder.execute("CREATE TABLE alembic_version (version_num varchar(32))")
    racers = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, url, stdout=PIPE, stderr=PIPE)
        for _ in range(4)
    ]
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20):
        while await ask(url, waiting) < 4:
            await asyncio.sleep(0.02)
    await hold.rollback()
    await holder.close()
    answers = await asyncio.gather(*(racer.communicate() for racer in racers))
    assert sorted(said.decode().strip() for said, _ in answers) == ["False", "False", "False", "True"]
    assert [racer.returncode for racer in racers] == [0, 0, 0, 0]


async def test_a_newer_servers_schema_is_refused_and_left_alone(postgres: EmbeddedPostgres) -> None:
    url = await empty_database(postgres)
    await migrate(url)
    await ask(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseAhead):
        await migrate(url)
    assert await ask(url, "SELECT version_num FROM alembic_version") == "9999"


async def test_a_failed_migration_leaves_nothing_half_done(postgres: EmbeddedPostgres) -> None:
    """All revisions run in one transaction."""
    url = await empty_database(postgres)
    await ask(url, "CREATE TABLE outbox (what text)")
    with pytest.raises(DatabaseUnreachable, match="outbox"):
        await migrate(url)
    tables = await rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert tables == [("outbox",)]


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://mia:secret@/shop?host=/nowhere",
        "postgresql://mia:secret@127.0.0.1:1/shop",
        "mysql://mia:secret@db/shop",
        "postgresql://mia:secret/word@db/shop",
        "postgresql://mia:secret@db/shop?sslmode=verify-full&sslrootcert=/nowhere",
    ],
)
async def test_an_address_without_a_database_is_a_sentence_without_the_password(url: str) -> None:
    for attempt in (migrate, database_time):
        with pytest.raises(DatabaseUnreachable) as caught:
            await attempt(url)
        assert "secret" not in str(caught.value)


async def test_a_database_that_does_not_exist_or_may_not_be_changed(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(DatabaseUnreachable, match="does not exist"):
        await migrate(postgres.url.replace("/twofactor?", "/nowhere?"))
    url = await empty_database(postgres)
    await ask(url, f'ALTER DATABASE "{url.split("/")[3].split("?")[0]}" SET default_transaction_read_only = on')
    with pytest.raises(DatabaseUnreachable, match="read-only"):
        await migrate(url)
