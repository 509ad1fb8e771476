"""The database cluster: made whole or not at all, and checked against the programs that shall run it."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .binaries import Binaries
from .command import command_as, environment
from .errors import EmbeddedPostgresError
from .home import Home

OWNER = "twofactor"
DATABASE = "twofactor"
ADMINISTRATOR = "postgres"

_INITDB_SECONDS = 300
_INITDB_OPTIONS = (
    f"--username={ADMINISTRATOR}",
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums",
    "--auth-local=trust",  # the folder of the socket is the lock on this door
    "--auth-host=reject",
    "--no-instructions",
)
# The server's role is an ordinary one, so that an injected statement cannot run programs. The database that
# initdb made is renamed, rather than a fourth one copied: that saves 300 files and a fifth of a cold start.
_FIRST_STATEMENTS = (
    f"CREATE ROLE {OWNER} LOGIN CREATEDB;",
    f"ALTER DATABASE postgres OWNER TO {OWNER};",
    f"ALTER DATABASE postgres RENAME TO {DATABASE};",
)


def make_ready(home: Home, binaries: Binaries) -> None:
    """Make the cluster if there is none; refuse one of another major version."""
    if not home.data.exists():
        _initialise(home, binaries)
    made_by = (home.data / "PG_VERSION").read_text().strip()
    if made_by != str(binaries.major):
        raise EmbeddedPostgresError(
            f"The database in {home.data} was made by PostgreSQL {made_by}, but {binaries.folder} has "
            f"PostgreSQL {binaries.major}: move the data over with pg_upgrade, or run a PostgreSQL {made_by} "
            "yourself and set TWOFACTOR_DATABASE_URL."
        )


def _initialise(home: Home, binaries: Binaries) -> None:
    for abandoned in home.folder.glob("data-*.new"):
        # An initdb that died with its server may still have a child that writes; its leavings go next time.
        shutil.rmtree(abandoned, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix="data-", suffix=".new", dir=home.folder))
    try:
        home.user.owns(unfinished)
        _run(home, binaries.initdb, f"--pgdata={unfinished}", *_INITDB_OPTIONS)
        single = ("--single", "-D", str(unfinished), "-c", "exit_on_error=on", "template1")
        _run(home, binaries.postgres, *single, typed="\n".join((*_FIRST_STATEMENTS, "")))
        unfinished.rename(home.data)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _sync_folder(home.folder)


def _run(home: Home, program: Path, *arguments: str, typed: str = "") -> None:
    done = subprocess.run(  # noqa: S603
        command_as(home.user, [program, *arguments]),
        input=typed,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=home.folder,
        env=environment(),
        timeout=_INITDB_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())[-800:]
        raise EmbeddedPostgresError(f"PostgreSQL could not make a database in {home.folder}: {said}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
