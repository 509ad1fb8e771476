"""What the scenes of the demo share."""

from collections.abc import Callable
from dataclasses import dataclass, field

from twofactor.v1.sign_in_service_pb2 import StartSignInRequest, StartSignInResponse
from twofactor.v1.two_factor_service_pb2 import (
    ConfirmAuthenticatorSetupRequest,
    ConfirmBackupCodeSavedRequest,
    GetTwoFactorRequest,
    GetTwoFactorResponse,
    RegenerateBackupCodeRequest,
    UseBackupCodeRequest,
    UseBackupCodeResponse,
    VerifyAuthenticatorCodeRequest,
    VerifyEmailCodeRequest,
)
from twofactor.v1.types_pb2 import BackupCode, ClientInfo, PasswordCredential, Reauthentication
from twofactor_client import TwoFactorError
from twofactor_try.demo.screen import Check, Part, Screen
from twofactor_try.errors import CannotStartError, CommandError
from twofactor_try.mailbox import Mailbox
from twofactor_try.rpc import USER_AGENT, Rpc
from twofactor_try.terminal import is_interactive
from twofactor_try.totp_app import TotpApp

# Addresses reserved for documentation (RFC 5737).
HOME = ClientInfo(ip_address="192.0.2.17", user_agent=USER_AGENT)
AWAY = ClientInfo(ip_address="198.51.100.23", user_agent=USER_AGENT)
CAFE = ClientInfo(ip_address="203.0.113.99", user_agent=USER_AGENT)

MAIL_SECONDS = 5.0


class UnexpectedResponseError(CommandError):
    """The server returned something that the scene did not expect. The text continues a sentence."""


@dataclass
class Demo:
    """The account owner's password, inbox, app, session and newest backup code, and the results so far."""

    screen: Screen
    server: str
    rpc: Rpc
    email: str
    password: str
    mailbox: Mailbox | None
    clock_offset: float = 0.0
    """The server's clock minus this machine's, in seconds; 0 for less than a second."""
    session_token: str = ""
    app: TotpApp | None = None
    setup_request: ConfirmAuthenticatorSetupRequest | None = None
    backup_code: BackupCode = field(default_factory=BackupCode)
    used_code: str = ""
    shown_codes: list[str] = field(default_factory=list)
    provider_notices: int = 0
    checks: list[Check] = field(default_factory=list)

    def start_sign_in(self, client: ClientInfo = HOME) -> StartSignInResponse:
        credential = PasswordCredential(email=self.email, password=self.password)
        return self.rpc.call(self.rpc.sign_in.StartSignIn, StartSignInRequest(password=credential, client=client))

    def sign_in_with_email_code(self, challenge_token: str) -> None:
        code = self.read_emailed_code()
        request = VerifyEmailCodeRequest(challenge_token=challenge_token, code=code)
        self.session_token = self.rpc.call(self.rpc.two_factor.VerifyEmailCode, request).session_token
        self.screen.success("Entered ", (code, "code"), " from the e-mail: signed in.")

    def verify_app_code(self, challenge_token: str, code: str) -> str:
        """Returns the session token."""
        request = VerifyAuthenticatorCodeRequest(challenge_token=challenge_token, code=code)
        return self.rpc.call(self.rpc.two_factor.VerifyAuthenticatorCode, request).session_token

    def use_backup_code(self, challenge_token: str, code: str, client: ClientInfo = HOME) -> UseBackupCodeResponse:
        request = UseBackupCodeRequest(challenge_token=challenge_token, backup_code=code, client=client)
        return self.rpc.call(self.rpc.two_factor.UseBackupCode, request)

    def regenerate_backup_code(self, reauthentication: Reauthentication | None) -> BackupCode:
        request = RegenerateBackupCodeRequest(session_token=self.session_token, reauthentication=reauthentication)
        return self.rpc.call(self.rpc.two_factor.RegenerateBackupCode, request).backup_code

    def reauthentication(self) -> Reauthentication:
        return Reauthentication(password=self.password)

    def get_two_factor(self) -> GetTwoFactorResponse:
        return self.rpc.call(self.rpc.two_factor.GetTwoFactor, GetTwoFactorRequest(session_token=self.session_token))

    def read_emailed_code(self) -> str:
        """The code in the newest e-mail: from the mail folder, or from the person at the terminal."""
        code = self.mailbox.wait_for_code(MAIL_SECONDS) if self.mailbox else None
        if code is None and not is_interactive():
            raise CannotStartError(
                f"No code arrived in the mail folder within {MAIL_SECONDS:.0f} seconds, and there is no terminal to "
                "ask for it. Pass the server's data folder with --data-dir."
            )
        return code or self.screen.ask(f"Enter the code that was sent to {self.email}:")

    def write_down(self, code: BackupCode) -> None:
        self.backup_code = code
        self.shown_codes.append(code.code)

    def save(self, code: BackupCode, session_token: str) -> None:
        """Write the code down, and confirm in the session that it was shown in that it is saved."""
        self.write_down(code)
        request = ConfirmBackupCodeSavedRequest(session_token=session_token, generation=code.generation)
        self.rpc.call(self.rpc.two_factor.ConfirmBackupCodeSaved, request)

    def check(self, statement: str, shown_by: str, result: str, *, passed: bool = True) -> None:
        """Record whether a statement of the help article is true of this server."""
        check = Check(statement, shown_by, result, passed)
        self.checks.append(check)
        self.screen.check(check)

    def expect_error(self, call: Callable[[], object], *reasons: str, text: tuple[Part, ...]) -> TwoFactorError:
        """Make a call that the server must reject for one of the reasons, and show the error below the text."""
        try:
            call()
        except TwoFactorError as error:
            if error.reason not in reasons:
                raise
            self.screen.rejected(error, *text)
            return error
        raise UnexpectedResponseError(f"the server returned OK, but {' or '.join(reasons)} was expected")


def expect(condition: bool, problem: str) -> None:
    """Raise UnexpectedResponseError unless the condition holds."""
    if not condition:
        raise UnexpectedResponseError(f"the server returned OK, but {problem}")
