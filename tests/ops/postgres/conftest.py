"""Data folders for the tests of the embedded PostgreSQL."""

import os
import pwd
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ops.postgres.bystanders import AS_ROOT, Account, ourselves, query, unprivileged_account
from twofactor_server.postgres import EmbeddedPostgres


@pytest.fixture(scope="session")
def playground() -> Iterator[Path]:
    """A folder that every user can enter, unlike pytest's own.

    Removed at the end only: on ext4, making files is slow where many have just been removed.
    """
    folder = Path(tempfile.mkdtemp(prefix="twofactor-tests-")).resolve()
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def folder(playground: Path) -> Path:
    """An empty folder that every user can enter."""
    empty = Path(tempfile.mkdtemp(dir=playground))
    empty.chmod(0o711)
    return empty


@pytest.fixture(scope="session")
def data_dir(playground: Path) -> Path:
    """A data folder that was used once, for a table ``first_run``; its path has unusual characters."""
    used = playground / "made on the way" / "it's a 100 % odd+path ü"
    with EmbeddedPostgres(used, print) as cluster:
        query(cluster.url, "create table first_run (word text)", "insert into first_run values ('Grüße')")
    return used


@pytest.fixture(scope="session")
def ordinary_user(playground: Path) -> Account:
    """The current user; for root, the user nobody."""
    if not AS_ROOT:
        return ourselves()
    nobody = pwd.getpwnam("nobody")
    stage = playground / "stage"
    stage.mkdir()
    stage.chmod(0o755)
    account = unprivileged_account(nobody.pw_uid, nobody.pw_gid, stage)
    if account is None:
        pytest.skip("the user nobody cannot run any Python 3.11 or newer")
    return account


@pytest.fixture
def closed_home(folder: Path, ordinary_user: Account) -> Path:
    """A home folder that only its user can enter."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    if AS_ROOT:
        os.chown(home, ordinary_user.uid, ordinary_user.gid)
    return home
