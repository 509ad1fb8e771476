"""The command line of what changes the account: its address, its end, "this wasn't me"."""

import argparse
from pathlib import Path

from twofactor_try.by_hand import account_changes
from twofactor_try.by_hand.passwords import NEW_VARIABLE
from twofactor_try.commands import Commands, take_password, take_proof


def add(commands: Commands) -> None:
    """Add these."""
    change = commands.add_step(
        "change-email",
        account_changes.change_email,
        "begin to change the address",
        "AccountService.ChangeEmail",
        "A link is mailed to the new one; nothing changes before `confirm-email`.",
    )
    change.add_argument("email", help="the new e-mail address")
    take_proof(change)
    confirm = commands.add_step(
        "confirm-email",
        account_changes.confirm_email,
        "change the address by the mailed link",
        "AccountService.ConfirmEmailChange",
    )
    _take_link(confirm, "the new e-mail address")
    not_me = commands.add_step(
        "not-me",
        account_changes.not_me,
        'say "this wasn\'t me" to the newest notice',
        "AccountService.ReportNotMe",
        "Everybody is signed out, and the change that the notice told of is undone as far as it still stands.",
    )
    _take_link(not_me, "the e-mail address that the notice was sent to")
    not_me.add_argument("--kind", help="the notice's kind, such as email-changed (default: the newest of any)")
    not_me.add_argument(
        "--new-password",
        action="store_true",
        help=f"set one at once (from {NEW_VARIABLE}, standard input, or you are asked)",
    )
    take_password(not_me)
    close = commands.add_step(
        "close-account", account_changes.close_account, "close the account for good", "AccountService.CloseAccount"
    )
    close.add_argument("--account-id", metavar="UUID", help="close this one as a provisioning service does")
    take_proof(close)


def _take_link(command: argparse.ArgumentParser, whose: str) -> None:
    command.add_argument("link", help=f"the link in the mail, or its token; or {whose}, to find the mail by")
    command.add_argument(
        "--data-dir",
        type=Path,
        default=Path("var"),
        metavar="FOLDER",
        help="the server's data folder, to read the mail in (default: ./var)",
    )
