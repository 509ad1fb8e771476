"""Migrations: they build exactly the schema of the SQLAlchemy tables, once, even if several servers start together."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from alembic import command
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
from twofactor_server.storage.dsn import parse_dsn
from twofactor_server.storage.migrate import DatabaseAhead, DatabaseUnreachable, database_time, migrate
from twofactor_server.storage.schema import metadata

# Alembic does not compare CHECK constraints, names and defaults. PostgreSQL normalises their text, so the catalogues of
# a database built by the migrations and of one built from the tables are compared. Constraints of type n are NOT NULL,
# which the columns show; PostgreSQL 18 names them after the column as it was first called.
CATALOGUE_QUERIES = {
    "columns": """
        SELECT table_name, column_name, data_type, is_nullable,
               regexp_replace(column_default, '^''(.*)''::\\w+$', '\\1')
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY 1, 2
    """,
    "constraints": """
        SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'
        AND contype <> 'n' ORDER BY 1, 2
    """,
    "indexes": """
        SELECT tablename, indexname, indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2
    """,
}


async def empty_database(postgres: EmbeddedPostgres) -> str:
    return await create_database(postgres, f"empty_{uuid4().hex}")


async def in_database(url: str, work: Callable[[Connection], Any]) -> Any:
    """Run a function of SQLAlchemy's synchronous API, and commit."""
    engine = create_async_engine("postgresql+asyncpg://", poolclass=NullPool, connect_args=parse_dsn(url))
    try:
        async with engine.begin() as connection:
            return await connection.run_sync(work)
    finally:
        await engine.dispose()


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", next(iter(migrations.__path__)))
    return config


def upgrade(connection: Connection, revision: str) -> None:
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_alembic_finds_no_difference_to_the_tables(database_url: str) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        found: list[Any] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        return found

    assert await in_database(database_url, differences) == []


@pytest.mark.parametrize("objects", CATALOGUE_QUERIES)
async def test_the_migrations_build_what_the_tables_declare(
    database_url: str, postgres: EmbeddedPostgres, objects: str
) -> None:
    """Every name and every definition, CHECK constraints included."""
    declared = await empty_database(postgres)
    await in_database(declared, metadata.create_all)
    built = await rows(database_url, CATALOGUE_QUERIES[objects])
    assert built == await rows(declared, CATALOGUE_QUERIES[objects])
    assert len(built) > 20


async def test_every_key_of_a_table_about_accounts_begins_with_account_id(database_url: str) -> None:
    """So the schema can be sharded by account. Only the look-up tables have keys that are unique across accounts."""
    statement = """
        SELECT c.relname, i.relname, a.attname FROM pg_index x
        JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
        WHERE x.indisunique AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'alembic_version'
    """
    keys = await rows(database_url, statement)
    other_keys = {(table, column) for table, _, column in keys if column != "account_id"}
    assert other_keys == {
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


async def test_a_start_with_nothing_to_migrate_imports_neither_alembic_nor_the_engine(database_url: str) -> None:
    """Their imports would take most of the time of such a start."""
    program = (
        "import asyncio, sys; from twofactor_server.storage.migrate import database_time, migrate; "
        "print(asyncio.run(migrate(sys.argv[1]))); asyncio.run(database_time(sys.argv[1])); "
        "print(sorted({'alembic', 'greenlet', 'sqlalchemy.ext.asyncio'} & sys.modules.keys()))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, database_url, stdout=PIPE)
    output, _ = await process.communicate()
    assert output.decode().split("\n") == ["False", "[]", ""]


async def test_a_renamed_column_keeps_its_values(postgres: EmbeddedPostgres) -> None:
    url = await empty_database(postgres)
    await in_database(url, lambda connection: upgrade(connection, "0002"))
    ids = uuid4(), uuid4()
    await ask(url, "INSERT INTO accounts (account_id, email, create_time) VALUES ($1, '', now())", ids[0])
    challenge = """
        INSERT INTO challenges (account_id, challenge_id, token_digest, caller, email, first_factor, password_version,
            create_time, expire_time) VALUES ($1, $2, '', '', '', 'password', 1, now(), now())
    """
    await ask(url, challenge, *ids)
    attempt = """
        INSERT INTO backup_code_attempts (account_id, challenge_id, fingerprint, verdict, rejudgements, network_prefix,
            create_time) VALUES ($1, $2, '', 'pending', 7, '', now())
    """
    await ask(url, attempt, *ids)
    assert await migrate(url) is True
    assert await ask(url, "SELECT reverifications FROM backup_code_attempts") == 7


def test_the_head_that_the_server_needs_is_the_newest_revision() -> None:
    """The constant spares a start the import of Alembic."""
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [migrations.HEAD]


async def test_one_of_four_concurrent_processes_migrates(postgres: EmbeddedPostgres) -> None:
    """The others wait and find nothing to do.

    An uncommitted table of Alembic's holds them until all four wait. Without the advisory lock, three of them failed
    with a duplicate key in the catalogue.
    """
    url = await empty_database(postgres)
    program = "import asyncio, sys; from twofactor_server.storage.migrate import migrate; "
    program += "print(asyncio.run(migrate(sys.argv[1])))"
    holder = await asyncpg.connect(url)
    hold = holder.transaction()
    await hold.start()
    await holder.execute("CREATE TABLE alembic_version (version_num varchar(32))")
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, url, stdout=PIPE, stderr=PIPE)
        for _ in range(4)
    ]
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(20):
        while await ask(url, waiting) < 4:
            await asyncio.sleep(0.02)
    await hold.rollback()
    await holder.close()
    outputs = await asyncio.gather(*(process.communicate() for process in processes))
    assert sorted(output.decode().strip() for output, _ in outputs) == ["False", "False", "False", "True"]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]


async def test_the_schema_of_a_newer_version_is_refused_and_not_changed(postgres: EmbeddedPostgres) -> None:
    url = await empty_database(postgres)
    await migrate(url)
    await ask(url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseAhead):
        await migrate(url)
    assert await ask(url, "SELECT version_num FROM alembic_version") == "9999"


async def test_a_failed_migration_changes_nothing(postgres: EmbeddedPostgres) -> None:
    """All revisions run in one transaction."""
    url = await empty_database(postgres)
    await ask(url, "CREATE TABLE outbox (payload text)")
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
async def test_an_unusable_url_is_reported_without_its_password(url: str) -> None:
    for function in (migrate, database_time):
        with pytest.raises(DatabaseUnreachable) as caught:
            await function(url)
        assert "secret" not in str(caught.value)


async def test_a_missing_or_read_only_database_is_reported(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(DatabaseUnreachable, match="does not exist"):
        await migrate(postgres.url.replace("/twofactor?", "/nowhere?"))
    url = await empty_database(postgres)
    await ask(url, f'ALTER DATABASE "{url.split("/")[3].split("?")[0]}" SET default_transaction_read_only = on')
    with pytest.raises(DatabaseUnreachable, match="read-only"):
        await migrate(url)
