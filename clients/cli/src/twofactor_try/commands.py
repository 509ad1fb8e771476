"""The subcommands of the command line, and the options that many of them share."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from twofactor_try.by_hand.memory import default_path
from twofactor_try.by_hand.passwords import VARIABLE
from twofactor_try.by_hand.run import run
from twofactor_try.by_hand.step import Said, Step
from twofactor_try.identity_arguments import take_by

DEFAULT_SERVER = "127.0.0.1:50051"
SERVER_VARIABLE = "TWOFACTOR_TRY_SERVER"

EXIT_STATUS = "Exit status: 0 done; 1 the server refused, or broke a promise; 2 the command could not begin."


class Commands:
    """The subcommands, each with the options that all of them have."""

    def __init__(self, group: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
        self._group = group

    def add(self, name: str, about: str, detail: str = "") -> argparse.ArgumentParser:
        command = self._group.add_parser(
            name, help=about, description=f"{about[0].upper()}{about[1:]}. {detail}".strip(), epilog=EXIT_STATUS
        )
        command.add_argument(
            "--server",
            default=os.environ.get(SERVER_VARIABLE, DEFAULT_SERVER),
            metavar="ADDRESS",
            help=f"host:port or unix:/path of the server (default: {SERVER_VARIABLE}, else {DEFAULT_SERVER})",
        )
        return command

    def add_step(
        self, name: str, step: Callable[[Step], Said], about: str, method: str, detail: str = ""
    ) -> argparse.ArgumentParser:
        """A single step, which asks the contract's `method`."""
        command = self.add(name, about, f"{detail} Asks {method}.".strip())
        command.add_argument(
            "--state",
            type=Path,
            default=default_path(),
            metavar="FILE",
            help="where tokens are remembered, readable by you only (default: in your state folder)",
        )
        command.add_argument("--json", action="store_true", help="print the answer as JSON; it holds tokens and codes")
        command.add_argument(
            "--ip", default="127.0.0.1", metavar="ADDRESS", help="the owner's address, as told to the server"
        )
        command.set_defaults(start=lambda options: run(step, options))
        return command


def take_password(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--password-stdin",
        action="store_true",
        help=f"read the password from standard input (default: {VARIABLE}, else you are asked)",
    )


def take_proof(command: argparse.ArgumentParser) -> None:
    command.add_argument("--asserted", action="store_true", help="vouch for the owner instead of giving the password")
    take_by(command)
    take_password(command)


def take_code(command: argparse.ArgumentParser, about: str) -> None:
    command.add_argument("code", nargs="*", help=f"{about} (default: you are asked)")


def take_request_id(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--request-id",
        metavar="UUID",
        help="names this logical call; empty: no replay wanted (default: derived from the call, or a new one)",
    )
