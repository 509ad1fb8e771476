"""Commands of a sign-in: the first factor, the second factor, and lifting a suspension."""

from typing import Any

from twofactor.v1.account_service_pb2 import ConfirmFirstFactorRequest
from twofactor.v1.sign_in_service_pb2 import GetChallengeRequest, StartSignInRequest
from twofactor.v1.two_factor_service_pb2 import (
    SendEmailCodeRequest,
    UseBackupCodeRequest,
    VerifyAuthenticatorCodeRequest,
    VerifyAuthenticatorCodeResponse,
    VerifyEmailCodeRequest,
    VerifyEmailCodeResponse,
)
from twofactor.v1.types_pb2 import SECOND_FACTOR_AUTHENTICATOR, PasswordCredential
from twofactor_try.commands.command import CommandGroup, Output
from twofactor_try.commands.context import Context, asserted_first_factor
from twofactor_try.commands.options import (
    add_code_argument,
    add_password_option,
    add_provider_option,
    add_request_id_option,
)
from twofactor_try.errors import CannotStartError
from twofactor_try.formatting import backup_code_lines, challenge_lines, session_lines
from twofactor_try.mailbox import token_from_link
from twofactor_try.prompts import read_code, read_password


def register(commands: CommandGroup) -> None:
    _register_first_factor(commands)
    _register_second_factor(commands)


def _register_first_factor(commands: CommandGroup) -> None:
    start = commands.add_call(
        "sign-in",
        sign_in,
        "verify the first factor and open a challenge",
        "SignInService.StartSignIn",
        "An account that uses e-mail codes is sent one.",
    )
    start.add_argument(
        "who", metavar="ACCOUNT", nargs="?", help="its e-mail address; its id with --asserted; omit it with --provider"
    )
    add_provider_option(start, "sign in with this identity provider")
    start.add_argument("--asserted", action="store_true", help="assert the first factor instead of giving the password")
    start.add_argument("--remember-me", action="store_true", help="request the longer session lifetime")
    add_password_option(start)

    commands.add_call("get-challenge", get_challenge, "show the sign-in in progress", "SignInService.GetChallenge")

    confirm = commands.add_call(
        "confirm-sign-in",
        confirm_sign_in,
        "lift a suspension of sign-in with the link that was sent by e-mail",
        "AccountService.ConfirmFirstFactor",
    )
    confirm.add_argument("link", help="the link or its token")
    confirm.add_argument("--no-password", action="store_true", help="for an account without a password")
    add_password_option(confirm)


def _register_second_factor(commands: CommandGroup) -> None:
    send = commands.add_call("send-code", send_code, "send a new code by e-mail", "TwoFactorService.SendEmailCode")
    add_request_id_option(send)

    verify = commands.add_call(
        "verify-code",
        verify_code,
        "complete the sign-in with a code from the e-mail or the app",
        "TwoFactorService.VerifyEmailCode or VerifyAuthenticatorCode",
    )
    add_code_argument(verify, "six digits")
    verify.add_argument(
        "--method", choices=("email", "authenticator"), help="the kind of code (default: the one that is required)"
    )
    add_request_id_option(verify)

    use = commands.add_call(
        "use-backup-code",
        use_backup_code,
        "complete the sign-in with the backup code",
        "TwoFactorService.UseBackupCode",
        "Shows the next backup code. Repeating the command with the same code shows it again until `saved`.",
    )
    add_code_argument(use, "the backup code, in upper or lower case, with or without spaces")
    add_request_id_option(use)


def sign_in(context: Context) -> Output:
    rpc = context.rpc
    request = StartSignInRequest(remember_me=context.options.remember_me, **_first_factor(context))
    response = rpc.call(rpc.sign_in.StartSignIn, request)
    context.state.store(challenge_token=response.challenge_token)
    if response.challenge.second_factor == SECOND_FACTOR_AUTHENTICATOR:
        next_step = "Next, run: twofactor-try verify-code CODE, or twofactor-try use-backup-code"
    else:
        next_step = "Next, run: twofactor-try verify-code CODE"
    return Output(response, ["The first factor is correct.", *challenge_lines(response.challenge), next_step])


def _first_factor(context: Context) -> dict[str, Any]:
    """The first factor, under the name of its field in StartSignInRequest."""
    options = context.options
    if options.provider:
        return context.provider_credential(options.provider)
    if options.who is None:
        raise CannotStartError("Pass the e-mail address of the account, or --provider.")
    if options.asserted:
        return {"asserted": asserted_first_factor(options.who)}
    return {"password": PasswordCredential(email=options.who, password=read_password(options))}


def get_challenge(context: Context) -> Output:
    request = GetChallengeRequest(challenge_token=context.challenge_token)
    response = context.rpc.call(context.rpc.sign_in.GetChallenge, request)
    return Output(response, challenge_lines(response.challenge))


def send_code(context: Context) -> Output:
    request = SendEmailCodeRequest(challenge_token=context.challenge_token, request_id=context.options.request_id)
    response = context.rpc.call(context.rpc.two_factor.SendEmailCode, request)
    return Output(
        response, ["A new code was sent. Earlier codes no longer work.", *challenge_lines(response.challenge)]
    )


def verify_code(context: Context) -> Output:
    rpc, options, token = context.rpc, context.options, context.challenge_token
    method = options.method
    if method is None:
        challenge = rpc.call(rpc.sign_in.GetChallenge, GetChallengeRequest(challenge_token=token)).challenge
        method = "authenticator" if challenge.second_factor == SECOND_FACTOR_AUTHENTICATOR else "email"
    code = read_code(options.code, "Code from the app: " if method == "authenticator" else "Code from the e-mail: ")
    response: VerifyAuthenticatorCodeResponse | VerifyEmailCodeResponse
    if method == "authenticator":
        response = rpc.call(
            rpc.two_factor.VerifyAuthenticatorCode,
            VerifyAuthenticatorCodeRequest(challenge_token=token, code=code, request_id=options.request_id),
        )
    else:
        response = rpc.call(
            rpc.two_factor.VerifyEmailCode,
            VerifyEmailCodeRequest(challenge_token=token, code=code, request_id=options.request_id),
        )
    context.state.store(session_token=response.session_token)
    return Output(response, [_signed_in(response.replayed), *session_lines(response.session)])


def use_backup_code(context: Context) -> Output:
    request = UseBackupCodeRequest(
        challenge_token=context.challenge_token,
        backup_code=read_code(context.options.code, "Backup code: "),
        request_id=context.options.request_id,
    )
    response = context.rpc.call(context.rpc.two_factor.UseBackupCode, request)
    new_code = response.new_backup_code
    context.state.store(session_token=response.session_token, generation=str(new_code.generation))
    return Output(
        response,
        [
            _signed_in(response.replayed),
            *session_lines(response.session),
            *backup_code_lines(new_code, replayed=response.replayed),
        ],
    )


def confirm_sign_in(context: Context) -> Output:
    options, rpc = context.options, context.rpc
    request = ConfirmFirstFactorRequest(token=token_from_link(options.link) or "")
    if not options.no_password:
        request.new_password = read_password(options, "New password: ", confirm=True)
    response = rpc.call(rpc.accounts.ConfirmFirstFactor, request)
    how = "Sign-in works again." if options.no_password else "Sign-in works again, with the new password."
    return Output(response, [f"{how} All sessions are ended."])


def _signed_in(replayed: bool) -> str:
    return "Signed in by an earlier request; this is the same response." if replayed else "Signed in."
