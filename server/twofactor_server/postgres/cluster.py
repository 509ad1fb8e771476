"""Creates the database cluster atomically, and checks that its version matches the programs."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .binaries import Binaries
from .cluster_dir import ClusterDir
from .errors import EmbeddedPostgresError
from .user import clean_environment

OWNER = "twofactor"
DATABASE = "twofactor"
ADMINISTRATOR = "postgres"

_INITDB_SECONDS = 300
_INITDB_OPTIONS = (
    f"--username={ADMINISTRATOR}",
    "--encoding=UTF8",
    "--locale=C",
    "--data-checksums",
    "--auth-local=trust",  # only PostgreSQL's user and root can enter the socket's folder
    "--auth-host=reject",
    "--no-instructions",
)
# The server's role has no superuser rights, so an injected statement cannot run programs. Renaming the database that
# initdb created is faster than creating another: it saves 300 files and a fifth of a cold start.
_FIRST_STATEMENTS = (
    f"CREATE ROLE {OWNER} LOGIN CREATEDB;",
    f"ALTER DATABASE postgres OWNER TO {OWNER};",
    f"ALTER DATABASE postgres RENAME TO {DATABASE};",
)


def prepare_cluster(cluster_dir: ClusterDir, binaries: Binaries) -> None:
    """Create the cluster if there is none. Raises EmbeddedPostgresError if it has another major version."""
    if not cluster_dir.data.exists():
        _initialise(cluster_dir, binaries)
    version = (cluster_dir.data / "PG_VERSION").read_text().strip()
    if version != str(binaries.major):
        raise EmbeddedPostgresError(
            f"The database in {cluster_dir.data} was created by PostgreSQL {version}, but {binaries.folder} has "
            f"PostgreSQL {binaries.major}: migrate the data with pg_upgrade, or run PostgreSQL {version} "
            "yourself and set TWOFACTOR_DATABASE_URL."
        )


def _initialise(cluster_dir: ClusterDir, binaries: Binaries) -> None:
    for abandoned in cluster_dir.folder.glob("data-*.new"):
        # A child of a killed initdb may still write there; what remains is deleted next time.
        shutil.rmtree(abandoned, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix="data-", suffix=".new", dir=cluster_dir.folder))
    try:
        cluster_dir.user.take_ownership(unfinished)
        _run(cluster_dir, binaries.initdb, f"--pgdata={unfinished}", *_INITDB_OPTIONS)
        single_user = ("--single", "-D", str(unfinished), "-c", "exit_on_error=on", "template1")
        _run(cluster_dir, binaries.postgres, *single_user, stdin="\n".join((*_FIRST_STATEMENTS, "")))
        unfinished.rename(cluster_dir.data)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    _sync_folder(cluster_dir.folder)


def _run(cluster_dir: ClusterDir, program: Path, *arguments: str, stdin: str = "") -> None:
    result = subprocess.run(  # noqa: S603
        cluster_dir.user.command([program, *arguments]),
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        cwd=cluster_dir.folder,
        env=clean_environment(),
        timeout=_INITDB_SECONDS,
        check=False,
    )
    if result.returncode != 0:
        output = " ".join((result.stderr or result.stdout).split())[-800:]
        raise EmbeddedPostgresError(f"PostgreSQL could not create a database in {cluster_dir.folder}: {output}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
