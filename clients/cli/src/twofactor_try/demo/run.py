"""Runs the scenes of the demo in order."""

import argparse
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from twofactor_client import TwoFactorError
from twofactor_try.commands.command import CommandGroup
from twofactor_try.commands.options import add_data_dir_option
from twofactor_try.demo.authenticator import (
    confirm_saved,
    move_to_new_phone,
    return_to_email_codes,
    set_up_authenticator,
)
from twofactor_try.demo.backup_code import regenerate, sign_in_without_phone, try_used_code
from twofactor_try.demo.closing import read_notices, sign_out_elsewhere
from twofactor_try.demo.context import HOME, Demo, UnexpectedResponseError
from twofactor_try.demo.first_sign_in import create_account, sign_in_with_email_code
from twofactor_try.demo.lost_response import lose_response
from twofactor_try.demo.provider import sign_in_with_provider
from twofactor_try.demo.race import SIGN_INS, race
from twofactor_try.demo.screen import Screen
from twofactor_try.errors import CannotStartError, CommandError
from twofactor_try.mailbox import Mailbox
from twofactor_try.rpc import Rpc, check_server, open_client
from twofactor_try.terminal import is_interactive

SCENES: tuple[tuple[str, Callable[[Demo], None]], ...] = (
    ("Create an account", create_account),
    ("Sign in with an e-mailed code", sign_in_with_email_code),
    ("Set up an authenticator app", set_up_authenticator),
    ("Confirm that the backup code is saved", confirm_saved),
    ("Sign in with the backup code, without the phone", sign_in_without_phone),
    ("Try the used code again", try_used_code),
    (f"Race {SIGN_INS} sign-ins with one code", race),
    ("Lose a response, and repeat the request", lose_response),
    ("Move to a new phone", move_to_new_phone),
    ("Regenerate the backup code", regenerate),
    ("Sign in with an identity provider", sign_in_with_provider),
    ("Return to e-mail codes", return_to_email_codes),
    ("Sign out everywhere else", sign_out_elsewhere),
    ("Read the notices", read_notices),
)


def register(commands: CommandGroup) -> None:
    command = commands.add(
        "demo",
        "show the life cycle of a backup code",
        "Creates an account and acts as its owner. Each scene shows what happens, and which statements of the help "
        "article for end users it confirms. Takes a few seconds, and can be repeated.",
    )
    add_data_dir_option(command, "; if it is not readable, you are asked for the codes")
    command.add_argument("--email", metavar="ADDRESS", help="the address of the new account (default: a random one)")
    command.add_argument("--svg", type=Path, metavar="FILE", help="also save the output as an SVG image")
    command.set_defaults(run=run_demo)


def run_demo(options: argparse.Namespace) -> int:
    """Returns the exit status: 0 if every check passed."""
    image: Path | None = options.svg
    check_server(options.server)
    with open_client(options.server) as client:
        screen = Screen(record=image is not None)
        email = options.email or f"demo-{secrets.token_hex(4)}@example.test"
        demo = Demo(
            screen=screen,
            server=options.server,
            rpc=Rpc(client, HOME.ip_address),
            email=email,
            password=secrets.token_urlsafe(12),
            mailbox=_open_mailbox(options.data_dir, email),
        )
        _show_title(demo, recorded=image is not None)
        passed = _run_scenes(demo)
    if image is not None:
        screen.save_svg(image)
    return 0 if passed else 1


def _show_title(demo: Demo, *, recorded: bool) -> None:
    # The image must not differ from run to run without need.
    email = "demo@example.test" if recorded else demo.email
    server = "a unix socket" if recorded and demo.server.startswith("unix:") else demo.server
    demo.screen.title(f"Account:  {email}", f"Server:   {server}")


def _run_scenes(demo: Demo) -> bool:
    started_at = time.monotonic()
    for number, (title, scene) in enumerate(SCENES, 1):
        demo.screen.heading(number, title)
        try:
            scene(demo)
        except TwoFactorError as error:
            raise CommandError(f"Scene {number} ({title}): the server returned an unexpected error: {error}") from None
        except UnexpectedResponseError as error:
            raise CommandError(f"Scene {number} ({title}): {error}.") from None
    demo.screen.summary(demo.checks)
    demo.screen.note("Not implemented yet: recovery by support staff, for owners who lost phone and backup code.")
    passed = sum(check.passed for check in demo.checks)
    seconds = time.monotonic() - started_at
    demo.screen.result(
        f"{passed} of {len(demo.checks)} checks passed in {seconds:.1f} s.", success=passed == len(demo.checks)
    )
    return passed == len(demo.checks)


def _open_mailbox(data_dir: Path, email: str) -> Mailbox | None:
    """The server's mail folder; None if it is not readable but a person can be asked for the codes."""
    folder = data_dir / "mail"
    try:
        return Mailbox(folder, email)
    except OSError:
        if not is_interactive():
            raise CannotStartError(
                f"Cannot read the mail folder {folder}, and there is no terminal to ask for the codes. "
                "Pass the server's data folder with --data-dir."
            ) from None
    return None
