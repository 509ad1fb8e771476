"""kill -9 of the server, of PostgreSQL, of both, and during the first start."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from tests.ops.postgres.bystanders import (
    AS_ROOT,
    children_of,
    is_gone,
    kill_with_children,
    query,
    supervisor,
    wait_until,
)
from twofactor_server.postgres import EmbeddedPostgres, process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


def commit_a_word(url: str) -> None:
    query(
        url,
        "create table if not exists kept (word text)",
        "truncate kept",
        "insert into kept values ('committed')",
    )


def committed_word(data_dir: Path) -> str:
    with EmbeddedPostgres(data_dir, print) as cluster:
        word: str = query(cluster.url, "select word from kept")
        return word


def test_postgresql_does_not_outlive_a_killed_server(data_dir: Path) -> None:
    # Seen to fail (it kept running) without the prctl call in run_as.py, and with that call before setuid.
    with supervisor(data_dir) as server:
        answer = server.answer()
        commit_a_word(answer["url"])
        server.kill()
        wait_until(lambda: is_gone(answer["pid"]))
    assert not (data_dir / "postgres" / "data" / "postmaster.pid").exists()
    assert committed_word(data_dir) == "committed"


def test_a_server_can_start_right_after_another_was_killed(data_dir: Path) -> None:
    with supervisor(data_dir) as server:
        answer = server.answer()
        commit_a_word(answer["url"])
        server.kill()
        assert committed_word(data_dir) == "committed"


def test_a_server_starts_after_everything_was_killed(data_dir: Path) -> None:
    with supervisor(data_dir) as server:
        answer = server.answer()
        commit_a_word(answer["url"])
        server.process.send_signal(signal.SIGSTOP)
        kill_with_children(answer["pid"])
        server.kill()
    assert (data_dir / "postgres" / "data" / "postmaster.pid").exists()
    assert committed_word(data_dir) == "committed"


def test_a_killed_postgresql_restarts_under_its_url(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, print) as cluster:
        url = cluster.url
        commit_a_word(url)
        os.kill(cluster.pid, signal.SIGKILL)
        wait_until(lambda: cluster.poll() is not None)
        assert cluster.poll() == -signal.SIGKILL
        cluster.start()
        assert query(url, "select word from kept") == "committed"


def test_it_restarts_while_a_process_of_the_killed_one_is_busy(data_dir: Path) -> None:
    async def kill_while_busy(cluster: EmbeddedPostgres) -> None:
        connection = await asyncpg.connect(cluster.url)
        # While it computes, it does not check whether its postmaster is alive.
        busy = asyncio.create_task(connection.execute("select count(*) from generate_series(1, 1000000000)"))
        await asyncio.sleep(0.1)
        os.kill(cluster.pid, signal.SIGKILL)
        await asyncio.to_thread(wait_until, lambda: cluster.poll() is not None)
        cluster.start()
        with pytest.raises((asyncpg.PostgresError, OSError)):
            await busy
        connection.terminate()

    with EmbeddedPostgres(data_dir, print) as cluster:
        commit_a_word(cluster.url)
        asyncio.run(kill_while_busy(cluster))
        assert query(cluster.url, "select word from kept") == "committed"


def test_an_orphan_that_does_not_stop_is_killed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = ((signal.SIGINT, 0.2), (signal.SIGQUIT, 0.2), (signal.SIGKILL, 10.0))
    monkeypatch.setattr(process, "_ORPHAN_STOP_STEPS", steps)
    said: list[str] = []
    with supervisor(data_dir) as server:
        answer = server.answer()
        commit_a_word(answer["url"])
        os.kill(answer["pid"], signal.SIGSTOP)
        server.kill()
        with EmbeddedPostgres(data_dir, said.append) as cluster:
            assert query(cluster.url, "select word from kept") == "committed"
    assert any("earlier run" in sentence and str(answer["pid"]) in sentence for sentence in said)


def test_another_process_with_the_pid_of_a_killed_postgresql_is_not_touched(data_dir: Path) -> None:
    # Seen to fail ("lock file already exists") without PG_GRANDPARENT_PID.
    with EmbeddedPostgres(data_dir, print) as cluster:
        kill_with_children(cluster.pid)
    number = data_dir / "postgres" / "data" / "postmaster.pid"
    owner = number.stat()
    identity = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if AS_ROOT else {}
    with subprocess.Popen(["sleep", "60"], **identity) as other:  # type: ignore[call-overload]
        number.write_text("\n".join([str(other.pid), *number.read_text().split("\n")[1:]]))
        try:
            with EmbeddedPostgres(data_dir, print) as cluster:
                assert query(cluster.url, "select 1") == 1
            assert other.poll() is None
        finally:
            other.kill()


def test_a_killed_first_start_leaves_no_partial_database(folder: Path) -> None:
    # Seen to fail with initdb working in the final folder.
    data_dir = folder / "var"
    home = data_dir / "postgres"
    with supervisor(data_dir) as server:
        wait_until(lambda: any(home.glob("data*/base/1")))
        initdb = children_of(server.process.pid)
        server.kill()
        for pid in initdb:
            wait_until(lambda pid=pid: is_gone(pid))  # type: ignore[misc]
    assert not (home / "data").exists()
    with EmbeddedPostgres(data_dir, print) as cluster:
        assert query(cluster.url, "select 1") == 1
    assert [path.name for path in home.glob("data*")] == ["data"]
