"""One server per data folder."""

import os
from pathlib import Path

import pytest

from tests.ops.postgres.bystanders import supervisor
from twofactor_server.postgres import (
    DataFolderInUse,
    DataFolderLock,
    EmbeddedPostgres,
    EmbeddedPostgresError,
    make_data_folder,
)


def test_the_error_names_the_process_that_holds_the_lock(folder: Path) -> None:
    with DataFolderLock(folder / "var"):
        assert (folder / "var" / "lock").read_text() == f"{os.getpid()}\n"
        with pytest.raises(DataFolderInUse, match=f"in use by the process {os.getpid()}") as refusal:
            DataFolderLock(folder / "var").acquire()
    assert refusal.value.pid == os.getpid()


def test_a_released_folder_can_be_locked(folder: Path) -> None:
    first, second = DataFolderLock(folder), DataFolderLock(folder)
    first.acquire()
    first.release()
    first.release()
    with second, pytest.raises(DataFolderInUse):
        first.acquire()
    with first:
        pass


def test_another_process_holds_the_database_until_it_is_killed(data_dir: Path) -> None:
    with supervisor(data_dir) as other:
        other.answer()
        with pytest.raises(DataFolderInUse) as refusal, EmbeddedPostgres(data_dir, print):
            pass
        assert refusal.value.pid == other.process.pid
        other.kill()
        with EmbeddedPostgres(data_dir, print) as cluster:
            assert cluster.poll() is None


def test_a_new_folder_is_closed_to_others_under_any_umask(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        make_data_folder(folder / "strict")
        os.umask(0)
        make_data_folder(folder / "loose")
    finally:
        os.umask(before)
    # If root runs the server, PostgreSQL runs as another user, which must be able to enter.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    assert [(folder / name).stat().st_mode & 0o777 for name in ("strict", "loose")] == [mode, mode]


def test_an_existing_folder_keeps_its_permissions(folder: Path) -> None:
    (folder / "var").mkdir(mode=0o750)
    with DataFolderLock(folder / "var"):
        assert (folder / "var").stat().st_mode & 0o777 == 0o750


def test_a_file_in_place_of_the_folder_is_reported(folder: Path) -> None:
    (folder / "var").write_text("")
    with pytest.raises(EmbeddedPostgresError, match=r"var cannot be used: Not a directory"):
        DataFolderLock(folder / "var").acquire()
    with pytest.raises(EmbeddedPostgresError, match=r"var/data cannot be created: File exists"):
        DataFolderLock(folder / "var" / "data").acquire()


def test_a_link_in_place_of_the_lock_is_not_followed(folder: Path) -> None:
    (folder / "lock").symlink_to(folder / "victim")
    with pytest.raises(EmbeddedPostgresError, match="symbolic links"):
        DataFolderLock(folder).acquire()
    assert not (folder / "victim").exists()
