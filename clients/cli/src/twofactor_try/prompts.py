"""Passwords and codes: from standard input, the environment, the command line, or a prompt."""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence

from twofactor_try.errors import CannotStartError
from twofactor_try.terminal import is_interactive

PASSWORD_VARIABLE = "TWOFACTOR_TRY_PASSWORD"  # noqa: S105 - a variable's name
NEW_PASSWORD_VARIABLE = "TWOFACTOR_TRY_NEW_PASSWORD"  # noqa: S105 - a variable's name


def read_password(
    options: argparse.Namespace,
    prompt: str = "Password: ",
    *,
    confirm: bool = False,
    variable: str = PASSWORD_VARIABLE,
) -> str:
    """From standard input, the environment, or a prompt, in this order; `confirm` prompts twice.

    Never from the command line: every user of the machine can list the arguments of its processes.
    """
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if variable in os.environ:
        return os.environ[variable]
    if not is_interactive():
        raise CannotStartError(f"No terminal to ask for the password. Pass --password-stdin, or set {variable}.")
    password = getpass.getpass(prompt)
    if confirm and getpass.getpass("Repeat the password: ") != password:
        raise CannotStartError("The two passwords differ. Run the command again.")
    return password


def read_new_password(options: argparse.Namespace) -> str:
    """The same for a new password: on standard input it is the next line, after the current one if that was read."""
    return read_password(options, "New password: ", confirm=True, variable=NEW_PASSWORD_VARIABLE)


def read_code(arguments: Sequence[str], prompt: str) -> str:
    """From the command line, where the groups of a code may be separate arguments, or else from a prompt."""
    if arguments:
        return " ".join(arguments)
    if not is_interactive():
        raise CannotStartError("No terminal to ask for the code. Pass the code as an argument.")
    return input(prompt)
