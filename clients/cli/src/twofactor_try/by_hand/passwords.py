"""Where a password comes from. Never from the command line, which every user of the machine can list."""

import argparse
import getpass
import os
import sys
from collections.abc import Sequence

from twofactor_try.failures import CannotStartError
from twofactor_try.terminal import person_present

VARIABLE = "TWOFACTOR_TRY_PASSWORD"
NEW_VARIABLE = "TWOFACTOR_TRY_NEW_PASSWORD"


def read_password(
    options: argparse.Namespace, question: str = "Password: ", *, twice: bool = False, variable: str = VARIABLE
) -> str:
    """From standard input, the environment, or the person, in this order."""
    if options.password_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if variable in os.environ:
        return os.environ[variable]
    if not person_present():
        raise CannotStartError(
            f"There is no terminal to ask for the password at: use --password-stdin, or set {variable}."
        )
    password = getpass.getpass(question)
    if twice and getpass.getpass("The same again: ") != password:
        raise CannotStartError("The two passwords differ.")
    return password


def read_new_password(options: argparse.Namespace) -> str:
    """The same for the password that is to be: on standard input the line after the current one."""
    return read_password(options, "New password: ", twice=True, variable=NEW_VARIABLE)


def read_code(typed: Sequence[str], question: str) -> str:
    """From the command line (a code works once), one group to a word or all in one; else from the person."""
    if typed:
        return " ".join(typed)
    if not person_present():
        raise CannotStartError("There is no terminal to ask for the code at: give it on the command line.")
    return input(question)
