"""Commands for the account itself: create, look up, change the e-mail address, close, report a change."""

import argparse

from twofactor.v1.account_service_pb2 import (
    UNDONE_CHANGE_AUTHENTICATOR_REMOVED,
    UNDONE_CHANGE_AUTHENTICATOR_RESTORED,
    UNDONE_CHANGE_BACKUP_CODE_RETIRED,
    UNDONE_CHANGE_EMAIL_RESTORED,
    UNDONE_CHANGE_FIRST_FACTOR_SUSPENDED,
    UNDONE_CHANGE_IDENTITY_UNLINKED,
    UNDONE_CHANGE_PASSWORD_CHANGED,
    UNDONE_CHANGE_SESSIONS_ENDED,
    ChangeEmailRequest,
    CloseAccountRequest,
    ConfirmEmailChangeRequest,
    CreateAccountRequest,
    GetAccountRequest,
    ReportNotMeRequest,
    UndoneChange,
)
from twofactor_try.commands.command import CommandGroup, Output
from twofactor_try.commands.context import Context
from twofactor_try.commands.options import (
    add_data_dir_option,
    add_password_option,
    add_provider_option,
    add_reauthentication_options,
    add_request_id_option,
)
from twofactor_try.errors import CannotStartError
from twofactor_try.formatting import account_lines, format_time
from twofactor_try.mailbox import Mailbox, token_from_link
from twofactor_try.prompts import NEW_PASSWORD_VARIABLE, read_new_password, read_password

_UNDONE = {
    UNDONE_CHANGE_SESSIONS_ENDED: "All sessions and all sign-ins in progress are ended.",
    UNDONE_CHANGE_PASSWORD_CHANGED: "The new password is set.",
    UNDONE_CHANGE_FIRST_FACTOR_SUSPENDED: "Sign-in is suspended until you open the link that was sent by e-mail.",
    UNDONE_CHANGE_AUTHENTICATOR_REMOVED: "The authenticator is removed; the account uses e-mail codes again.",
    UNDONE_CHANGE_AUTHENTICATOR_RESTORED: "The previous authenticator works again.",
    UNDONE_CHANGE_BACKUP_CODE_RETIRED: "The backup code no longer works. Sign in with the app, then regenerate it.",
    UNDONE_CHANGE_EMAIL_RESTORED: "The previous e-mail address is restored.",
    UNDONE_CHANGE_IDENTITY_UNLINKED: "The linked identity is unlinked.",
}


def register(commands: CommandGroup) -> None:
    _register_account(commands)
    _register_email_change(commands)
    _register_report(commands)


def _register_account(commands: CommandGroup) -> None:
    create = commands.add_call("create-account", create_account, "create an account", "AccountService.CreateAccount")
    create.add_argument("email", nargs="?", help="its e-mail address; omit it with --provider")
    add_provider_option(create, "create it from a sign-in with this identity provider")
    create.add_argument("--no-password", action="store_true", help="create an account for `sign-in --asserted` only")
    add_password_option(create)
    add_request_id_option(create)

    get = commands.add_call("get-account", get_account, "show an account", "AccountService.GetAccount")
    get.add_argument("who", metavar="ACCOUNT", help="its e-mail address or id")

    close = commands.add_call("close-account", close_account, "close the account", "AccountService.CloseAccount")
    close.add_argument("--account-id", metavar="UUID", help="close this account, as a provisioning service does")
    add_reauthentication_options(close)


def _register_email_change(commands: CommandGroup) -> None:
    change = commands.add_call(
        "change-email",
        change_email,
        "start to change the e-mail address",
        "AccountService.ChangeEmail",
        "Sends a link to the new address. Nothing changes until `confirm-email`.",
    )
    change.add_argument("email", help="the new e-mail address")
    add_reauthentication_options(change)

    confirm = commands.add_call(
        "confirm-email",
        confirm_email,
        "confirm the new e-mail address with the link that was sent to it",
        "AccountService.ConfirmEmailChange",
    )
    _add_link_argument(confirm, "the new e-mail address")


def _register_report(commands: CommandGroup) -> None:
    report = commands.add_call(
        "not-me",
        report_not_me,
        'report a change as "this wasn\'t me" with the link in the notice',
        "AccountService.ReportNotMe",
        "Ends all sessions and reverts the change where that is still possible.",
    )
    _add_link_argument(report, "the address that the notice was sent to")
    report.add_argument("--kind", help="the kind of notice, such as email-changed (default: the newest notice)")
    report.add_argument(
        "--new-password",
        action="store_true",
        help=f"also set a new password (from {NEW_PASSWORD_VARIABLE}, standard input, or a prompt)",
    )
    add_password_option(report)


def create_account(context: Context) -> Output:
    options, rpc = context.options, context.rpc
    request = CreateAccountRequest(request_id=options.request_id)
    if options.provider:
        request.MergeFrom(CreateAccountRequest(**context.provider_credential(options.provider)))
    elif options.email is None:
        raise CannotStartError("Pass the e-mail address of the new account, or --provider.")
    else:
        request.email = options.email
        if not options.no_password:
            request.password = read_password(options, "New password: ", confirm=True)
    response = rpc.call(rpc.accounts.CreateAccount, request)
    return Output(response, account_lines(response.account))


def get_account(context: Context) -> Output:
    who, rpc = context.options.who, context.rpc
    request = GetAccountRequest(email=who) if "@" in who else GetAccountRequest(account_id=who)
    response = rpc.call(rpc.accounts.GetAccount, request)
    return Output(response, account_lines(response.account))


def change_email(context: Context) -> Output:
    email, rpc = context.options.email, context.rpc
    request = ChangeEmailRequest(
        session_token=context.session_token, reauthentication=context.reauthentication(), new_email=email
    )
    response = rpc.call(rpc.accounts.ChangeEmail, request)
    lines = [
        f"A link was sent to {email}. It expires at {format_time(response.expire_time)}. To use it, run:",
        f"twofactor-try confirm-email {email}",
    ]
    return Output(response, lines)


def confirm_email(context: Context) -> Output:
    request = ConfirmEmailChangeRequest(token=_token(context, "confirm-email"))
    response = context.rpc.call(context.rpc.accounts.ConfirmEmailChange, request)
    return Output(response, ["The e-mail address is changed.", *account_lines(response.account)])


def report_not_me(context: Context) -> Output:
    request = ReportNotMeRequest(token=_token(context, "not-me", context.options.kind))
    if context.options.new_password:
        request.new_password = read_new_password(context.options)
    response = context.rpc.call(context.rpc.accounts.ReportNotMe, request)
    context.state.clear()
    return Output(response, [_UNDONE.get(change, UndoneChange.Name(change)) for change in response.undone])


def close_account(context: Context) -> Output:
    if context.options.account_id:
        request = CloseAccountRequest(account_id=context.options.account_id)
    else:
        request = CloseAccountRequest(session_token=context.session_token, reauthentication=context.reauthentication())
    response = context.rpc.call(context.rpc.accounts.CloseAccount, request)
    context.state.clear()
    return Output(response, ["The account is closed."])


def _add_link_argument(command: argparse.ArgumentParser, recipient: str) -> None:
    command.add_argument("link", help=f"the link or its token; or {recipient}, to read the link from the e-mail")
    add_data_dir_option(command)


def _token(context: Context, purpose: str, kind: str | None = None) -> str:
    """The token in the link on the command line, or in the newest e-mail to the address on the command line."""
    link, folder = context.options.link, context.options.data_dir / "mail"
    token = token_from_link(link)
    if token is None and folder.is_dir():
        token = Mailbox(folder, link, since_now=False).newest_token(purpose, kind)
    if token is None:
        raise CannotStartError(
            f"No such e-mail to {link} in {folder}. Pass the link itself, or the server's data folder with --data-dir."
        )
    return token
