"""The entry point of `twofactor-try`: the command line, and the exit status."""

import argparse
import os
import sys
from collections.abc import Sequence

# This must be set before grpc is imported: otherwise grpc writes its own log lines to the user's terminal.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from twofactor_try.commands import account, identities, passwords, sessions, sign_in, two_factor
from twofactor_try.commands.command import EXIT_STATUS, CommandGroup
from twofactor_try.demo import run as demo
from twofactor_try.errors import CannotStartError, CommandError
from twofactor_try.terminal import replace_unencodable_characters

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status (see EXIT_STATUS)."""
    replace_unencodable_characters()
    options = build_parser().parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    except EOFError:
        print("error: The input ended before the prompt was answered. Run the command again.", file=sys.stderr)
        return CannotStartError.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has closed the pipe. Without this, the interpreter's own flush fails at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


def build_parser() -> argparse.ArgumentParser:
    """A parser with one subcommand per command. The `run` function of its result executes the command."""
    parser = argparse.ArgumentParser(
        prog="twofactor-try",
        description="Command-line client for a twofactor server: a demo, and commands for all methods of the "
        "contract. Tokens are stored from one command to the next.",
        epilog=EXIT_STATUS,
    )
    commands = CommandGroup(parser.add_subparsers(title="commands", metavar="COMMAND", required=True))
    for module in (demo, account, passwords, sign_in, sessions, identities, two_factor):
        module.register(commands)
    return parser
