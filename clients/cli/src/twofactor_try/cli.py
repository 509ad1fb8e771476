"""The command `twofactor-try`."""

import os
import sys
from collections.abc import Sequence

# Before grpc is imported: its own log lines on standard error are not for the person at the terminal.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")

from twofactor_try.arguments import parser
from twofactor_try.failures import CannotStartError, CommandError
from twofactor_try.terminal import tame_output

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 refused or a broken promise, 2 could not begin."""
    tame_output()
    options = parser().parse_args(arguments)
    try:
        status: int = options.start(options)
        sys.stdout.flush()
    except CommandError as trouble:
        print(trouble, file=sys.stderr)
        return trouble.exit_status
    except EOFError:
        print("No answer was given.", file=sys.stderr)
        return CannotStartError.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has left; let the interpreter's own flush find something that it can write to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status
