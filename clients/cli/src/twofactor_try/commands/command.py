"""How commands are added to the command line, run, and printed."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from rich.console import Console

from twofactor_client import TwoFactorError
from twofactor_try.commands.context import Context
from twofactor_try.errors import advice_for
from twofactor_try.qr_code import QrCode
from twofactor_try.rpc import Rpc, check_server, open_client
from twofactor_try.state_file import StateFile, default_path

DEFAULT_SERVER = "127.0.0.1:50051"
SERVER_VARIABLE = "TWOFACTOR_TRY_SERVER"

EXIT_STATUS = (
    "Exit status: 0 success; 1 the server returned an error, or a check of the demo failed; "
    "2 the command could not start."
)


@dataclass(frozen=True)
class Output:
    """A command's result: the server's response for `--json`, and the same as text."""

    response: Message
    lines: Iterable[str | QrCode]


class CommandGroup:
    """The subcommands of `twofactor-try`."""

    def __init__(self, subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        self._subparsers = subparsers

    def add(self, name: str, summary: str, detail: str = "") -> argparse.ArgumentParser:
        """Add a command that has only the option `--server`."""
        description = f"{summary[0].upper()}{summary[1:]}. {detail}".strip()
        command = self._subparsers.add_parser(name, help=summary, description=description, epilog=EXIT_STATUS)
        command.add_argument(
            "--server",
            default=os.environ.get(SERVER_VARIABLE, DEFAULT_SERVER),
            metavar="ADDRESS",
            help=f"the server, as host:port or unix:/path (default: {SERVER_VARIABLE}, or {DEFAULT_SERVER})",
        )
        return command

    def add_call(
        self, name: str, function: Callable[[Context], Output], summary: str, method: str, detail: str = ""
    ) -> argparse.ArgumentParser:
        """Add a command that calls `method` of the contract."""
        command = self.add(name, summary, f"{detail} Calls {method}.".strip())
        command.add_argument(
            "--state",
            type=Path,
            default=default_path(),
            metavar="FILE",
            help="where tokens are stored; only you can read this file (default: %(default)s)",
        )
        command.add_argument(
            "--json", action="store_true", help="print the response as JSON, with its tokens and codes"
        )
        command.add_argument(
            "--ip",
            default="127.0.0.1",
            metavar="ADDRESS",
            help="the end user's IP address, as reported to the server (default: %(default)s)",
        )
        command.set_defaults(run=lambda options: run_command(function, options))
        return command


def run_command(function: Callable[[Context], Output], options: argparse.Namespace) -> int:
    """Run the function against the server, and print its output or the server's error. Returns the exit status."""
    state = StateFile(options.state, options.server)
    check_server(options.server)
    with open_client(options.server) as client:
        try:
            output = function(Context(options, Rpc(client, options.ip), state))
        except TwoFactorError as error:
            _print_error(error, as_json=options.json)
            return 1
    if options.json:
        _print_json(
            MessageToDict(output.response, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
        )
    else:
        console = Console(highlight=False, markup=False, soft_wrap=True)
        for line in output.lines:
            console.print(line)
    return 0


def _print_error(error: TwoFactorError, *, as_json: bool) -> None:
    advice = advice_for(error)
    if not as_json:
        print(f"error: {error}", file=sys.stderr)
        if advice:
            print(f"hint: {advice}", file=sys.stderr)
        return
    content = {
        "status": error.status.name,
        "reason": error.reason,
        "message": error.message,
        "metadata": dict(error.metadata),
        "fields": {field.path: field.rule for field in error.fields},
        "retry_after_seconds": error.retry_after.total_seconds() if error.retry_after else None,
        "hint": advice,
    }
    _print_json({"error": content})


def _print_json(content: object) -> None:
    print(json.dumps(content, indent=2))
