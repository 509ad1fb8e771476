"""The command ``twofactor``."""

import argparse
import asyncio
import gc
import os
import sys
from collections.abc import Sequence

from twofactor_server.postgres import EmbeddedPostgresError
from twofactor_server.settings import Settings, SettingsError, load

DESCRIPTION = "The second-factor server: e-mail codes, authenticator apps, and backup codes that work exactly once."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command. Exit status 0: success; 1: a crash; 2: the server cannot start with these settings."""
    options = _parser().parse_args(arguments)
    try:
        settings = load(os.environ)
        if options.command == "worker":
            return _worker(settings, share_port=options.share_port)
        return _migrate(settings) if options.command == "migrate" else _serve(settings)
    except SettingsError as error:
        return _fail(*error.problems)
    except EmbeddedPostgresError as error:
        return _fail(str(error))


def _serve(settings: Settings) -> int:
    from twofactor_server import supervisor

    try:
        return supervisor.main(settings, os.environ)
    except supervisor.CannotStart as error:
        return _fail(str(error))


def _worker(settings: Settings, *, share_port: bool) -> int:
    # Imported modules live as long as the process: a garbage collector that skips them saves a seventh of the start.
    gc.disable()
    from twofactor_server import worker

    gc.freeze()
    gc.enable()
    return worker.main(settings, share_port=share_port)


def _migrate(settings: Settings) -> int:
    from twofactor_server.storage.migrate import DatabaseAhead, DatabaseUnreachable, migrate

    if settings.database_url is None:
        return _fail("the embedded database is migrated at every start; set TWOFACTOR_DATABASE_URL to migrate another.")
    try:
        migrated = asyncio.run(migrate(settings.database_url))
    except (DatabaseAhead, DatabaseUnreachable) as error:
        return _fail(str(error))
    print("migrated" if migrated else "nothing to migrate")
    return 0


def _fail(*problems: str) -> int:
    for problem in problems:
        print(f"twofactor: {problem}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twofactor",
        description=DESCRIPTION,
        epilog="Settings are environment variables that start with TWOFACTOR_, or a file named by TWOFACTOR_CONFIG.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("serve", help="run the server; starts its own database unless TWOFACTOR_DATABASE_URL is set")
    commands.add_parser("migrate", help="migrate the database at TWOFACTOR_DATABASE_URL to the schema of this version")
    worker = commands.add_parser("worker")  # started by the supervisor; without a help text it is not listed
    worker.add_argument("--share-port", action="store_true")
    return parser
