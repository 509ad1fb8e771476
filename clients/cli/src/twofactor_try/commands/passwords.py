"""Commands that set, change or reset the password."""

from twofactor.v1.account_service_pb2 import (
    ChangePasswordRequest,
    CompletePasswordResetRequest,
    SetPasswordRequest,
    StartPasswordResetRequest,
)
from twofactor_try.commands.command import CommandGroup, Output
from twofactor_try.commands.context import Context
from twofactor_try.commands.options import (
    NEW_PASSWORD_SOURCE,
    add_data_dir_option,
    add_password_option,
    add_reauthentication_options,
    add_request_id_option,
)
from twofactor_try.mailbox import PASSWORD_RESET, Mailbox, token_from_link
from twofactor_try.prompts import read_new_password, read_password

_MAIL_SECONDS = 5.0


def register(commands: CommandGroup) -> None:
    change = commands.add_call(
        "change-password",
        change_password,
        "change the password",
        "AccountService.ChangePassword",
        NEW_PASSWORD_SOURCE,
    )
    add_password_option(change)
    add_request_id_option(change)

    first = commands.add_call(
        "set-password",
        set_password,
        "set the password of an account that has none",
        "AccountService.SetPassword",
        NEW_PASSWORD_SOURCE,
    )
    add_reauthentication_options(first)
    add_request_id_option(first)

    reset = commands.add_call(
        "reset-password",
        reset_password,
        "set a new password with a link that is sent by e-mail",
        "AccountService.StartPasswordReset, then CompletePasswordReset",
        NEW_PASSWORD_SOURCE,
    )
    reset.add_argument("link", help="the account's e-mail address; or a link that was sent before, or its token")
    add_data_dir_option(reset)
    add_password_option(reset)


def set_password(context: Context) -> Output:
    request = SetPasswordRequest(
        session_token=context.session_token,
        reauthentication=context.reauthentication(),
        new_password=read_new_password(context.options),
        request_id=context.options.request_id,
    )
    response = context.rpc.call(context.rpc.accounts.SetPassword, request)
    return Output(response, ["The password is set. All other sessions are ended."])


def change_password(context: Context) -> Output:
    request = ChangePasswordRequest(
        session_token=context.session_token,
        current_password=read_password(context.options, "Current password: "),
        new_password=read_new_password(context.options),
        request_id=context.options.request_id,
    )
    response = context.rpc.call(context.rpc.accounts.ChangePassword, request)
    return Output(response, ["The password is changed. All other sessions are ended."])


def reset_password(context: Context) -> Output:
    rpc, email, folder = context.rpc, context.options.link, context.options.data_dir / "mail"
    token = token_from_link(context.options.link)
    if token is None:
        mailbox = Mailbox(folder, email) if folder.is_dir() else None
        started = rpc.call(rpc.accounts.StartPasswordReset, StartPasswordResetRequest(email=email))
        token = mailbox.wait_for_token(PASSWORD_RESET, _MAIL_SECONDS) if mailbox else None
        if token is None:
            lines = [f"If {email} has an account, a link was sent to it. To use it, run:"]
            return Output(started, [*lines, "twofactor-try reset-password LINK"])
    request = CompletePasswordResetRequest(reset_token=token, new_password=read_new_password(context.options))
    response = rpc.call(rpc.accounts.CompletePasswordReset, request)
    return Output(response, ["The new password is set. All sessions are ended. To sign in: twofactor-try sign-in"])
