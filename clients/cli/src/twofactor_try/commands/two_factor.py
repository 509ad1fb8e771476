"""Commands for the second factor of a signed-in account: the authenticator app and the backup code."""

from uuid import uuid4

from twofactor.v1.two_factor_service_pb2 import (
    CancelAuthenticatorSetupRequest,
    ConfirmAuthenticatorSetupRequest,
    ConfirmBackupCodeSavedRequest,
    GetTwoFactorRequest,
    RegenerateBackupCodeRequest,
    RemoveAuthenticatorRequest,
    StartAuthenticatorSetupRequest,
)
from twofactor_client import TwoFactorError
from twofactor_try.commands.command import CommandGroup, Output
from twofactor_try.commands.context import Context
from twofactor_try.commands.options import add_code_argument, add_reauthentication_options, add_request_id_option
from twofactor_try.errors import CannotStartError
from twofactor_try.formatting import backup_code_lines, format_time, two_factor_lines
from twofactor_try.prompts import read_code
from twofactor_try.qr_code import BLOCKS, QrCode
from twofactor_try.terminal import can_encode


def register(commands: CommandGroup) -> None:
    _register_authenticator(commands)
    _register_backup_code(commands)


def _register_authenticator(commands: CommandGroup) -> None:
    commands.add_call("status", show_status, "show the second factor", "TwoFactorService.GetTwoFactor")

    setup = commands.add_call(
        "setup",
        start_setup,
        "start to set up an authenticator app, or a new phone",
        "TwoFactorService.StartAuthenticatorSetup",
        "Shows a QR code. Nothing changes until `confirm-setup`.",
    )
    add_reauthentication_options(setup)

    confirm = commands.add_call(
        "confirm-setup",
        confirm_setup,
        "turn on the authenticator with its first code",
        "TwoFactorService.ConfirmAuthenticatorSetup",
        "Shows the backup code.",
    )
    add_code_argument(confirm, "six digits from the app")
    confirm.add_argument("--setup-id", metavar="UUID", help="the setup (default: the last one that was started)")
    add_request_id_option(confirm)

    cancel = commands.add_call(
        "cancel-setup", cancel_setup, "cancel the setup", "TwoFactorService.CancelAuthenticatorSetup"
    )
    cancel.add_argument("--setup-id", metavar="UUID", help="the setup (default: the last one that was started)")

    remove = commands.add_call(
        "remove",
        remove_authenticator,
        "remove the authenticator and return to e-mail codes",
        "TwoFactorService.RemoveAuthenticator",
    )
    add_reauthentication_options(remove)


def _register_backup_code(commands: CommandGroup) -> None:
    saved = commands.add_call(
        "saved", confirm_saved, "confirm that the backup code is saved", "TwoFactorService.ConfirmBackupCodeSaved"
    )
    saved.add_argument("generation", type=int, nargs="?", help="its number (default: of the code that was shown last)")

    regenerate = commands.add_call(
        "regenerate",
        regenerate_backup_code,
        "replace the backup code with a new one",
        "TwoFactorService.RegenerateBackupCode",
        "If the response was lost, repeat the command: it shows the same code.",
    )
    add_reauthentication_options(regenerate)
    add_request_id_option(regenerate)


def show_status(context: Context) -> Output:
    request = GetTwoFactorRequest(session_token=context.session_token)
    response = context.rpc.call(context.rpc.two_factor.GetTwoFactor, request)
    return Output(response, two_factor_lines(response))


def start_setup(context: Context) -> Output:
    request = StartAuthenticatorSetupRequest(
        session_token=context.session_token, reauthentication=context.reauthentication()
    )
    response = context.rpc.call(context.rpc.two_factor.StartAuthenticatorSetup, request)
    context.state.store(setup_id=response.setup_id)
    lines: list[str | QrCode] = [
        "Scan this QR code with an authenticator app:",
        *([QrCode(response.otpauth_uri)] if can_encode(BLOCKS) else []),
        f"or enter the secret:  {response.secret}",
        f"or open the URI:      {response.otpauth_uri}",
        f"Then run, before {format_time(response.expire_time)}: twofactor-try confirm-setup CODE",
    ]
    return Output(response, lines)


def confirm_setup(context: Context) -> Output:
    request = ConfirmAuthenticatorSetupRequest(
        session_token=context.session_token,
        setup_id=_setup_id(context),
        code=read_code(context.options.code, "Code from the app: "),
        request_id=context.options.request_id,
    )
    response = context.rpc.call(context.rpc.two_factor.ConfirmAuthenticatorSetup, request)
    context.state.store(generation=str(response.backup_code.generation))
    lines = backup_code_lines(response.backup_code, replayed=response.replayed)
    return Output(response, ["The authenticator is on.", *lines])


def cancel_setup(context: Context) -> Output:
    request = CancelAuthenticatorSetupRequest(session_token=context.session_token, setup_id=_setup_id(context))
    response = context.rpc.call(context.rpc.two_factor.CancelAuthenticatorSetup, request)
    context.state.remove("setup_id")
    return Output(response, ["The setup is cancelled. The second factor is unchanged."])


def remove_authenticator(context: Context) -> Output:
    request = RemoveAuthenticatorRequest(
        session_token=context.session_token, reauthentication=context.reauthentication()
    )
    response = context.rpc.call(context.rpc.two_factor.RemoveAuthenticator, request)
    context.state.remove("setup_id", "generation")
    lines = ["The authenticator and the backup code are removed. The account uses e-mail codes."]
    return Output(response, lines)


def confirm_saved(context: Context) -> Output:
    generation = context.options.generation
    if generation is None:
        problem = "No backup code was shown in this session. Pass the number of the code that was saved."
        generation = int(context.state.require("generation", problem))
    request = ConfirmBackupCodeSavedRequest(session_token=context.session_token, generation=generation)
    response = context.rpc.call(context.rpc.two_factor.ConfirmBackupCodeSaved, request)
    return Output(response, [f"Backup code no. {generation} is marked as saved."])


def regenerate_backup_code(context: Context) -> Output:
    request = RegenerateBackupCodeRequest(session_token=context.session_token, request_id=context.options.request_id)
    if not request.request_id:
        # Stored until the response arrives, so that repeating the command after a lost response repeats the request.
        request.request_id = context.state.get("regenerate_request_id") or str(uuid4())
        context.state.store(regenerate_request_id=request.request_id)
    request.reauthentication.CopyFrom(context.reauthentication())
    try:
        response = context.rpc.call(context.rpc.two_factor.RegenerateBackupCode, request)
    except TwoFactorError as error:
        if error.reason == "REQUEST_ID_EXPIRED":
            context.state.remove("regenerate_request_id")
        raise
    context.state.remove("regenerate_request_id")
    context.state.store(generation=str(response.backup_code.generation))
    lines = backup_code_lines(response.backup_code, replayed=response.replayed)
    return Output(response, ["The previous backup code no longer works.", *lines])


def _setup_id(context: Context) -> str:
    setup_id: str | None = context.options.setup_id or context.state.get("setup_id")
    if setup_id is None:
        raise CannotStartError("No setup is in progress. Run `twofactor-try setup` first.")
    return setup_id
