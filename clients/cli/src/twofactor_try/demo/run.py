"""The walk from beginning to end: its steps in order, the summary, the exit status."""

import argparse
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from twofactor.v1.types_pb2 import ClientInfo
from twofactor_try.connection import open_channel, wait_until_ready
from twofactor_try.contract import Contract
from twofactor_try.demo.changes import back_to_email_codes, move_to_a_new_phone, regenerate
from twofactor_try.demo.lost_answer import lose_the_answer
from twofactor_try.demo.lost_phone import lose_the_phone, try_the_old_code
from twofactor_try.demo.notices import read_the_mails
from twofactor_try.demo.opening import create_account, say_saved, set_up_authenticator, sign_in_with_mailed_code
from twofactor_try.demo.provider import sign_in_with_a_provider
from twofactor_try.demo.race import RACERS, race
from twofactor_try.demo.screen import Screen
from twofactor_try.demo.sessions import sign_out_elsewhere
from twofactor_try.demo.walk import HOME, UnexpectedAnswerError, Walk
from twofactor_try.failures import CannotStartError, CommandError
from twofactor_try.mailbox import Mailbox
from twofactor_try.refusals import Refused
from twofactor_try.terminal import person_present

STEPS: tuple[tuple[str, Callable[[Walk], None]], ...] = (
    ("Create the account", create_account),
    ("Sign in with the mailed code", sign_in_with_mailed_code),
    ("Set up the authenticator, see the first backup code", set_up_authenticator),
    ("Say “saved”", say_saved),
    ("Lose the phone, sign in with the backup code", lose_the_phone),
    ("Try the old code", try_the_old_code),
    (f"Let {RACERS} sign-ins race with one code", race),
    ("Drop an answer, repeat the call", lose_the_answer),
    ("Move to a new phone", move_to_a_new_phone),
    ("Regenerate the backup code", regenerate),
    ("Sign in with a provider instead of the password", sign_in_with_a_provider),
    ("Go back to e-mail codes", back_to_email_codes),
    ("Sign out everywhere else", sign_out_elsewhere),
    ("Look into the inbox", read_the_mails),
)

NOT_BUILT_YET = ("Not built yet: support's help for owners who lost both phone and backup code.",)


def demo(options: argparse.Namespace) -> int:
    """0: every promise was kept. 1: one was not, or the server answered something unexpected."""
    picture: Path | None = options.svg
    with open_channel(options.server) as channel:
        wait_until_ready(channel, options.server)
        screen = Screen(picture=picture is not None)
        email = options.email or f"demo-{secrets.token_hex(4)}@example.test"
        walk = Walk(
            screen=screen,
            server=options.server,
            contract=Contract(channel, ClientInfo(ip_address=HOME, user_agent="twofactor-try")),
            email=email,
            password=secrets.token_urlsafe(12),
            mailbox=_mailbox(options.data_dir, email),
        )
        _open(screen, walk, drawn=picture is not None)
        kept = _take_all_steps(walk)
    if picture is not None:
        screen.save_picture(picture)
    return 0 if kept else 1


def _open(screen: Screen, walk: Walk, *, drawn: bool) -> None:
    # In a picture nothing changes from run to run that need not.
    owner = "demo@example.test" if drawn else walk.email
    server = "a unix socket" if drawn and walk.server.startswith("unix:") else walk.server
    screen.opening(f"The owner:   {owner}", f"The server:  {server}")


def _take_all_steps(walk: Walk) -> bool:
    begin = time.monotonic()
    for number, (title, step) in enumerate(STEPS, 1):
        walk.screen.heading(number, title)
        try:
            step(walk)
        except Refused as refusal:
            raise CommandError(f"Step {number}, {title}: the server unexpectedly answered {refusal}.") from None
        except UnexpectedAnswerError as trouble:
            raise CommandError(f"Step {number}, {title}: {trouble}.") from None
    walk.screen.summary(walk.promises)
    for line in NOT_BUILT_YET:
        walk.screen.aside(line)
    kept = sum(one.kept for one in walk.promises)
    all_kept = kept == len(walk.promises)
    seconds = time.monotonic() - begin
    walk.screen.closing(f"{kept} of {len(walk.promises)} promises kept, in {seconds:.1f} s.", well=all_kept)
    return all_kept


def _mailbox(data_dir: Path, email: str) -> Mailbox | None:
    """The mail folder if it can be read; else None, if there is somebody to ask for the codes."""
    folder = data_dir / "mail"
    try:
        return Mailbox(folder, email)
    except OSError:
        if not person_present():
            raise CannotStartError(
                f"There is no mail folder {folder} to read the codes from, and no terminal to ask for them at: "
                "name the server's data folder with --data-dir."
            ) from None
    return None
