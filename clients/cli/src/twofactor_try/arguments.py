"""The command line: `twofactor-try COMMAND …`."""

import argparse
from pathlib import Path

from twofactor_try import account_commands
from twofactor_try.by_hand import password_changes, sessions, settings, signing_in
from twofactor_try.by_hand.passwords import NEW_VARIABLE
from twofactor_try.commands import EXIT_STATUS, Commands, take_code, take_password, take_proof, take_request_id
from twofactor_try.demo.run import demo
from twofactor_try.identity_arguments import add_identities, take_provider


def parser() -> argparse.ArgumentParser:
    """One subcommand for the walk and one for each single step; `start` of the result runs it."""
    top = argparse.ArgumentParser(
        prog="twofactor-try",
        description="Plays the owner of an account against a running twofactor server: the whole walk (demo), or its "
        "single steps by hand. Tokens are remembered from one command to the next.",
        epilog=EXIT_STATUS,
    )
    commands = Commands(top.add_subparsers(title="commands", metavar="COMMAND", required=True))
    _add_demo(commands)
    _add_accounts(commands)
    _add_passwords(commands)
    account_commands.add(commands)
    _add_links(commands)
    _add_challenges(commands)
    _add_second_factors(commands)
    _add_sessions(commands)
    add_identities(commands, take_proof)
    _add_setups(commands)
    _add_backup_codes(commands)
    return top


def _add_demo(commands: Commands) -> None:
    walk = commands.add(
        "demo",
        "walk through a backup code's whole life",
        "Makes an account and plays its owner; each step says what happened and which sentence of the help article "
        "it makes true. Takes a few seconds; run it as often as you like.",
    )
    walk.add_argument(
        "--data-dir",
        type=Path,
        default=Path("var"),
        metavar="FOLDER",
        help="the server's data folder, to read the mailed codes in (default: ./var); without it, you are asked",
    )
    walk.add_argument("--email", metavar="ADDRESS", help="an address without an account, instead of a made-up one")
    walk.add_argument("--svg", type=Path, metavar="FILE", help="draw the walk as a picture too")
    walk.set_defaults(start=demo)


def _add_accounts(commands: Commands) -> None:
    create = commands.add_step(
        "create-account", signing_in.create_account, "make an account", "AccountService.CreateAccount"
    )
    create.add_argument("email", nargs="?", help="its e-mail address; with --provider none")
    take_provider(create, "make it by a sign-in with this provider, whose verified address it gets")
    create.add_argument("--no-password", action="store_true", help="an account that only `sign-in --asserted` opens")
    take_password(create)
    take_request_id(create)
    get = commands.add_step("get-account", signing_in.get_account, "look an account up", "AccountService.GetAccount")
    get.add_argument("who", help="its e-mail address, or its id")


def _add_passwords(commands: Commands) -> None:
    new = f"The new password comes from standard input (its last line), {NEW_VARIABLE}, or you are asked."
    change = commands.add_step(
        "change-password",
        password_changes.change_password,
        "change the password, for the current one",
        "AccountService.ChangePassword",
        new,
    )
    take_password(change)
    take_request_id(change)
    first = commands.add_step(
        "set-password",
        password_changes.set_password,
        "give a password to an account that has none",
        "AccountService.SetPassword",
        new,
    )
    take_proof(first)
    take_request_id(first)
    reset = commands.add_step(
        "reset-password",
        password_changes.reset_password,
        "choose a new password by a mailed link",
        "AccountService.StartPasswordReset, then CompletePasswordReset",
        new,
    )
    reset.add_argument("link", help="the account's e-mail address; or the link that was mailed before, or its token")
    reset.add_argument(
        "--data-dir",
        type=Path,
        default=Path("var"),
        metavar="FOLDER",
        help="the server's data folder, to read the mail in",
    )
    take_password(reset)


def _add_links(commands: Commands) -> None:
    confirm = commands.add_step(
        "confirm-sign-in",
        sessions.confirm_sign_in,
        "lift the suspension of signing in by the mailed link",
        "AccountService.ConfirmFirstFactor",
    )
    confirm.add_argument("link", help="the link in the mail, or its token")
    confirm.add_argument("--no-password", action="store_true", help="for an account that has none")
    take_password(confirm)


def _add_challenges(commands: Commands) -> None:
    start = commands.add_step(
        "sign-in",
        signing_in.sign_in,
        "give the first factor and open a challenge",
        "SignInService.StartSignIn",
        "An account on e-mail codes is mailed one.",
    )
    start.add_argument(
        "who", nargs="?", help="the account's e-mail address; with --asserted its id; with --provider none"
    )
    take_provider(start, "sign in with this provider")
    start.add_argument(
        "--asserted", action="store_true", help="vouch for the first factor instead of giving a password"
    )
    start.add_argument("--remember-me", action="store_true", help="say that the owner ticked this box")
    take_password(start)
    commands.add_step(
        "get-challenge", signing_in.get_challenge, "show where the sign-in stands", "SignInService.GetChallenge"
    )
    send = commands.add_step("send-code", signing_in.send_code, "mail a new code", "TwoFactorService.SendEmailCode")
    take_request_id(send)


def _add_second_factors(commands: Commands) -> None:
    verify = commands.add_step(
        "verify-code",
        signing_in.verify_code,
        "complete the sign-in with the mailed or the app's code",
        "TwoFactorService.VerifyEmailCode or VerifyAuthenticatorCode",
    )
    take_code(verify, "six digits")
    verify.add_argument(
        "--method", choices=("email", "authenticator"), help="which code it is (default: what the challenge asks for)"
    )
    take_request_id(verify)
    use = commands.add_step(
        "use-backup-code",
        signing_in.use_backup_code,
        "complete the sign-in with the backup code",
        "TwoFactorService.UseBackupCode",
        "The answer holds the next code. Typed again with the same code it is the same call, and shows the same answer "
        "until `saved`.",
    )
    take_code(use, "the backup code, in any case, with or without spaces")
    take_request_id(use)


def _add_sessions(commands: Commands) -> None:
    commands.add_step("session", signing_in.session, "show the session", "SignInService.GetSession")
    commands.add_step("sign-out", sessions.sign_out, "end the session", "SignInService.SignOut")
    commands.add_step("sessions", sessions.sessions, "list the live sessions", "SignInService.ListSessions")
    revoke = commands.add_step("revoke", sessions.revoke, "end one of the sessions", "SignInService.RevokeSession")
    revoke.add_argument("session_id", metavar="UUID", help="which, as `sessions` lists it")
    others = commands.add_step(
        "sign-out-others",
        sessions.sign_out_others,
        "end all sessions but this one",
        "SignInService.RevokeOtherSessions",
    )
    others.add_argument("--everywhere", action="store_true", help="this one too")
    commands.add_step("status", settings.status, "show the second factor", "TwoFactorService.GetTwoFactor")


def _add_setups(commands: Commands) -> None:
    setup = commands.add_step(
        "setup",
        settings.setup,
        "begin to set up an authenticator, or a new phone",
        "TwoFactorService.StartAuthenticatorSetup",
        "Shows a QR code; nothing changes before `confirm-setup`.",
    )
    take_proof(setup)
    confirm = commands.add_step(
        "confirm-setup",
        settings.confirm_setup,
        "turn the new authenticator on by its first code",
        "TwoFactorService.ConfirmAuthenticatorSetup",
        "The answer holds the backup code.",
    )
    take_code(confirm, "the app's six digits")
    confirm.add_argument("--setup-id", metavar="UUID", help="which setup (default: the one begun last)")
    take_request_id(confirm)
    cancel = commands.add_step(
        "cancel-setup", settings.cancel_setup, "void the setup", "TwoFactorService.CancelAuthenticatorSetup"
    )
    cancel.add_argument("--setup-id", metavar="UUID", help="which setup (default: the one begun last)")
    remove = commands.add_step(
        "remove",
        settings.remove,
        "remove the authenticator and go back to e-mail codes",
        "TwoFactorService.RemoveAuthenticator",
    )
    take_proof(remove)


def _add_backup_codes(commands: Commands) -> None:
    saved = commands.add_step(
        "saved", settings.saved, "say that the backup code is saved", "TwoFactorService.ConfirmBackupCodeSaved"
    )
    saved.add_argument("generation", type=int, nargs="?", help="its number (default: of the one shown last)")
    regenerate = commands.add_step(
        "regenerate",
        settings.regenerate,
        "replace the backup code by a fresh one",
        "TwoFactorService.RegenerateBackupCode",
        "If its answer was lost, the command typed again shows the same code.",
    )
    take_proof(regenerate)
    take_request_id(regenerate)
