"""The part of the command line that speaks of identity providers."""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from twofactor_try.by_hand import identities

if TYPE_CHECKING:
    from twofactor_try.commands import Commands

_WHICH = "a provider of the server's settings, which are wanted in this environment too"


def add_identities(commands: "Commands", take_proof: Callable[[argparse.ArgumentParser], None]) -> None:
    """`link`, `unlink` and `identities`."""
    link = commands.add_step(
        "link", identities.link, "link an identity, as one more first factor", "AccountService.LinkIdentity"
    )
    link.add_argument("provider", metavar="PROVIDER", help=f"`google`, `github`, or another: {_WHICH}")
    take_proof(link)
    unlink = commands.add_step("unlink", identities.unlink, "remove a linked identity", "AccountService.UnlinkIdentity")
    unlink.add_argument("which", help="its id, or its provider's name")
    take_proof(unlink)
    commands.add_step(
        "identities", identities.identities, "list the linked identities", "AccountService.ListIdentities"
    )


def take_provider(command: argparse.ArgumentParser, about: str) -> None:
    """`--provider`, in place of an address and a password."""
    command.add_argument("--provider", metavar="PROVIDER", help=f"{about}: {_WHICH}")


def take_by(command: argparse.ArgumentParser) -> None:
    """`--by`, in place of the password of a re-authentication."""
    command.add_argument("--by", metavar="PROVIDER", help="sign in with a linked identity instead of the password")
    command.add_argument("--app-code", metavar="CODE", help="the app's code beside --by, ten minutes after signing in")
