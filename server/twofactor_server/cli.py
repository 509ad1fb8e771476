"""The command ``twofactor``: serve, migrate."""

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence

from twofactor_server import settings as reading
from twofactor_server.postgres import DataFolderInUse, EmbeddedPostgresError
from twofactor_server.settings import Settings, SettingsError

DESCRIPTION = "The second-factor server: e-mail codes, authenticator apps, and backup codes that work exactly once."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Exit status 0: done; 1: something is broken; 2: it cannot start as it is set up."""
    given = _parser().parse_args(arguments)
    try:
        settings = reading.load(os.environ)
        if given.command == "worker":
            return _worker(settings, share_port=given.share_port)
        return _migrate(settings) if given.command == "migrate" else _serve(settings)
    except SettingsError as error:
        for problem in error.problems:
            print(f"twofactor: {problem}", file=sys.stderr)
        return 2
    except (DataFolderInUse, EmbeddedPostgresError) as error:
        print(f"twofactor: {error}", file=sys.stderr)
        return 2


def _serve(settings: Settings) -> int:
    from twofactor_server import supervisor

    try:
        return supervisor.main(settings, os.environ)
    except supervisor.CannotStart as error:
        print(f"twofactor: {error}", file=sys.stderr)
        return 2


def _worker(settings: Settings, *, share_port: bool) -> int:
    from twofactor_server import worker

    return worker.main(settings, share_port=share_port)


def _migrate(settings: Settings) -> int:
    from twofactor_server.storage.migrate import DatabaseAhead, DatabaseUnreachable, migrate

    if settings.database_url is None:
        print(
            "twofactor: the embedded database is migrated at each start; set TWOFACTOR_DATABASE_URL.", file=sys.stderr
        )
        return 2
    try:
        changed = asyncio.run(migrate(settings.database_url))
    except (DatabaseAhead, DatabaseUnreachable) as error:
        print(f"twofactor: {error}", file=sys.stderr)
        return 2
    print("migrated" if changed else "nothing to migrate")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="twofactor",
        description=DESCRIPTION,
        epilog="Settings are environment variables that start with TWOFACTOR_, or a file named by TWOFACTOR_CONFIG.",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser("serve", help="run the server, with a database of its own unless TWOFACTOR_DATABASE_URL is set")
    commands.add_parser("migrate", help="bring the database at TWOFACTOR_DATABASE_URL to this version's schema")
    worker = commands.add_parser("worker")
    worker.add_argument("--share-port", action="store_true")
    return parser
