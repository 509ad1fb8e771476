"""What the steps of the walk share: the owner, the server, and what has been promised and shown so far."""

from collections.abc import Callable
from dataclasses import dataclass, field

from twofactor.v1.sign_in_service_pb2 import StartSignInResponse
from twofactor.v1.two_factor_service_pb2 import GetTwoFactorResponse
from twofactor.v1.types_pb2 import BackupCode, ClientInfo, PasswordCredential, Reauthentication
from twofactor_try.contract import Contract
from twofactor_try.demo.screen import Part, Promise, Screen
from twofactor_try.failures import CannotStartError, CommandError
from twofactor_try.mailbox import Mailbox
from twofactor_try.phone import Phone
from twofactor_try.refusals import Refused
from twofactor_try.terminal import person_present

# Networks that are set aside for documentation (RFC 5737).
HOME = "192.0.2.17"
AWAY = "198.51.100.23"
CAFE = "203.0.113.99"

MAIL_SECONDS = 5.0


class UnexpectedAnswerError(CommandError):
    """The server answered something that the step did not expect. The text goes on after "Step 3, …: "."""


@dataclass
class Walk:
    """The owner's things: password, inbox, phones, session, and the backup code written down last."""

    screen: Screen
    server: str
    contract: Contract
    email: str
    password: str
    mailbox: Mailbox | None
    clock_lead: float = 0.0
    account_id: str = ""
    session_token: str = ""
    phone: Phone | None = None
    backup_code: BackupCode = field(default_factory=BackupCode)
    used_code: str = ""
    more_notices: int = 0
    repeat_setup: Callable[[], object] | None = None
    shown: list[str] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)

    def client(self, ip_address: str) -> ClientInfo:
        """The owner's browser, in one place or another."""
        return ClientInfo(ip_address=ip_address, user_agent="twofactor-try")

    def start_sign_in(self, ip_address: str = HOME) -> StartSignInResponse:
        """The first factor: address and password. Opens a challenge."""
        credential = PasswordCredential(email=self.email, password=self.password)
        return self.contract.seen_from(ip_address).start_sign_in(credential)

    def proof(self) -> Reauthentication:
        """The password once more, as every change of the second factor wants it."""
        return Reauthentication(password=self.password)

    def two_factor(self) -> GetTwoFactorResponse:
        """What the settings page knows."""
        return self.contract.get_two_factor(self.session_token)

    def mailed_code(self) -> str:
        """The code of the mail that has just been sent: read from the mail folder, else asked for."""
        code = self.mailbox.wait_for_code(MAIL_SECONDS) if self.mailbox else None
        if code is None and not person_present():
            raise CannotStartError(
                f"No code came into the mail folder within {MAIL_SECONDS:.0f} seconds, and there is no terminal to "
                "ask at: name the server's data folder with --data-dir."
            )
        return code or self.screen.ask(f"A code was mailed to {self.email}. Type it:")

    def write_down(self, code: BackupCode) -> None:
        """The owner's slip of paper has one line: the newest code."""
        self.backup_code = code
        self.shown.append(code.code)

    def save(self, code: BackupCode, session_token: str) -> None:
        """ "I've saved it": from the session that was shown the code."""
        self.write_down(code)
        self.contract.confirm_saved(session_token, code.generation)

    def promise(self, sentence: str, shown_by: str, result: str, *, kept: bool = True) -> None:
        """Note that a sentence of the help article has come true, or has not."""
        one = Promise(sentence, shown_by, result, kept)
        self.promises.append(one)
        self.screen.promise(one)

    def refused(self, call: Callable[[], object], *reasons: str, saying: tuple[Part, ...]) -> Refused:
        """Make a call that has to be refused for one of `reasons`, and say what that means."""
        try:
            call()
        except Refused as refusal:
            if refusal.reason not in reasons:
                raise
            self.screen.refused(refusal, *saying)
            return refusal
        raise UnexpectedAnswerError(f"the server answered OK where it had to refuse with {' or '.join(reasons)}")


def ensure(condition: bool, otherwise: str) -> None:
    """Go on only if the answer was as it has to be."""
    if not condition:
        raise UnexpectedAnswerError(f"the server answered OK, but {otherwise}")
