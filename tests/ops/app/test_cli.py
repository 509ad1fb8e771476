"""The command: exit statuses, and messages instead of tracebacks."""

import re
from uuid import uuid4

import pytest

from tests.ops.app.processes import check_refused, command
from tests.storage.databases import ask, create_database, migrated_database
from twofactor_server.postgres import EmbeddedPostgres

NOWHERE = "postgresql://mia:s3cret@/shop?host=/nowhere"


async def test_help_lists_the_commands() -> None:
    ended = await command("--help")
    assert ended.status == 0
    assert re.search(r"^ +serve +\S", ended.stdout, re.MULTILINE)
    assert re.search(r"^ +migrate +\S", ended.stdout, re.MULTILINE)
    assert "TWOFACTOR_" in ended.stdout


async def test_without_a_command_it_prints_the_usage() -> None:
    ended = await command()
    assert ended.status == 2
    assert "usage: twofactor" in ended.stderr


@pytest.mark.parametrize("name", ["serve", "migrate"])
async def test_every_problem_of_the_settings_has_its_own_line(name: str) -> None:
    ended = await command(name, workers="none", listen="0.0.0.0:1", colour="s3cret")
    assert ended.status == 2
    named = [line.split()[:2] for line in ended.stderr.splitlines()]
    variables = ("TWOFACTOR_WORKERS", "TWOFACTOR_COLOUR", "TWOFACTOR_LISTEN")
    assert sorted(named) == sorted(["twofactor:", variable] for variable in variables)
    assert "s3cret" not in ended.stderr


async def test_migrate_reports_what_it_did(postgres: EmbeddedPostgres) -> None:
    url = await create_database(postgres, f"cli_{uuid4().hex}")
    first, second = await command("migrate", database_url=url), await command("migrate", database_url=url)
    assert (first.status, first.stdout, first.stderr) == (0, "migrated\n", "")
    assert (second.status, second.stdout, second.stderr) == (0, "nothing to migrate\n", "")


async def test_migrate_without_a_database_url_fails() -> None:
    check_refused(await command("migrate"), "TWOFACTOR_DATABASE_URL")


async def test_migrate_with_an_unreachable_database_fails() -> None:
    check_refused(await command("migrate", database_url=NOWHERE))


async def test_migrate_with_a_newer_schema_fails(postgres: EmbeddedPostgres) -> None:
    url = await migrated_database(postgres)
    await ask(url, "UPDATE alembic_version SET version_num = '9999'")
    check_refused(await command("migrate", database_url=url), "schema")
