"""Options and arguments that several commands share."""

import argparse
from pathlib import Path

from twofactor_try.prompts import NEW_PASSWORD_VARIABLE, PASSWORD_VARIABLE

NEW_PASSWORD_SOURCE = (
    f"The new password is read from standard input (its last line), from {NEW_PASSWORD_VARIABLE}, or at a prompt."
)
PROVIDER_NAMES = "google, github, or another one; this environment must have the server's settings for it"


def add_password_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--password-stdin",
        action="store_true",
        help=f"read the password from standard input (default: from {PASSWORD_VARIABLE}, or at a prompt)",
    )


def add_reauthentication_options(command: argparse.ArgumentParser) -> None:
    """The options of `Context.reauthentication`."""
    command.add_argument(
        "--asserted", action="store_true", help="assert the first factor instead of giving the password"
    )
    command.add_argument(
        "--by", metavar="PROVIDER", help="sign in with a linked identity instead of giving the password"
    )
    command.add_argument(
        "--app-code", metavar="CODE", help="with --by, a code from the app; required 10 minutes after sign-in"
    )
    add_password_option(command)


def add_provider_option(command: argparse.ArgumentParser, summary: str) -> None:
    command.add_argument("--provider", metavar="PROVIDER", help=f"{summary}: {PROVIDER_NAMES}")


def add_code_argument(command: argparse.ArgumentParser, summary: str) -> None:
    command.add_argument("code", nargs="*", help=f"{summary} (default: a prompt)")


def add_request_id_option(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--request-id",
        metavar="UUID",
        default="",
        help="send the same one again to repeat a request (default: derived from the code, or random)",
    )


def add_data_dir_option(command: argparse.ArgumentParser, suffix: str = "") -> None:
    command.add_argument(
        "--data-dir",
        type=Path,
        default=Path("var"),
        metavar="FOLDER",
        help=f"the server's data folder, to read its e-mails (default: ./var){suffix}",
    )
