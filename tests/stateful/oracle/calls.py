"""The calls of the contract, with every value filled in."""

from dataclasses import dataclass, field
from datetime import datetime

from tests.stateful.oracle.linking import Credential


@dataclass(frozen=True)
class Asserted:
    """A trusted caller's word that it checked the account's first factor."""

    account_id: str
    time: datetime


@dataclass(frozen=True)
class Proof:
    """A re-authentication. All empty: none was given."""

    password: str | None = None
    asserted: Asserted | None = None
    app_code: str = ""
    credential: Credential | None = None

    @property
    def guess(self) -> str:
        """What is charged once, however often it is sent; "" where there is nothing to judge."""
        if self.credential is not None:
            return f"{self.credential.identity.provider} {self.credential.code}"
        return self.password or ""


@dataclass(frozen=True)
class CreateAccount:
    """CreateAccount."""

    email: str
    password: str
    request_id: str


@dataclass(frozen=True)
class GetAccount:
    """GetAccount, by address."""

    email: str


@dataclass(frozen=True)
class StartSignIn:
    """StartSignIn, with a password, an assertion or an identity."""

    email: str
    password: str = ""
    asserted: Asserted | None = None
    credential: Credential | None = None
    ip: str = ""
    remember_me: bool = False


@dataclass(frozen=True)
class GetChallenge:
    """GetChallenge."""

    challenge: str


@dataclass(frozen=True)
class SendEmailCode:
    """SendEmailCode."""

    challenge: str
    request_id: str
    ip: str


@dataclass(frozen=True)
class VerifyEmailCode:
    """VerifyEmailCode."""

    challenge: str
    code: str
    request_id: str
    ip: str


@dataclass(frozen=True)
class VerifyAuthenticatorCode:
    """VerifyAuthenticatorCode."""

    challenge: str
    code: str
    request_id: str
    ip: str


@dataclass(frozen=True)
class UseBackupCode:
    """UseBackupCode."""

    challenge: str
    code: str
    request_id: str
    ip: str


@dataclass(frozen=True)
class GetSession:
    """GetSession."""

    session: str


@dataclass(frozen=True)
class SignOut:
    """SignOut."""

    session: str


@dataclass(frozen=True)
class ListSessions:
    """ListSessions."""

    session: str


@dataclass(frozen=True)
class RevokeSession:
    """RevokeSession."""

    session: str
    session_id: str
    ip: str = ""


@dataclass(frozen=True)
class RevokeOtherSessions:
    """RevokeOtherSessions."""

    session: str
    including_this: bool
    ip: str = ""


@dataclass(frozen=True)
class ConfirmFirstFactor:
    """ConfirmFirstFactor; ``nth`` says which of the mailed links it is, 0 that it is none."""

    token: str
    new_password: str
    nth: int
    ip: str = ""


@dataclass(frozen=True)
class SetPassword:
    """SetPassword."""

    session: str
    proof: Proof
    new_password: str
    request_id: str
    ip: str = ""


@dataclass(frozen=True)
class ChangePassword:
    """ChangePassword."""

    session: str
    current_password: str
    new_password: str
    request_id: str
    ip: str = ""

    @property
    def proof(self) -> Proof:
        """The current password."""
        return Proof(self.current_password)


@dataclass(frozen=True)
class LinkIdentity:
    """LinkIdentity."""

    session: str
    proof: Proof
    credential: Credential
    request_id: str
    ip: str = ""


@dataclass(frozen=True)
class UnlinkIdentity:
    """UnlinkIdentity."""

    session: str
    proof: Proof
    identity_id: str
    ip: str = ""


@dataclass(frozen=True)
class ListIdentities:
    """ListIdentities."""

    session: str


@dataclass(frozen=True)
class GetTwoFactor:
    """GetTwoFactor."""

    session: str


@dataclass(frozen=True)
class ConfirmBackupCodeSaved:
    """ConfirmBackupCodeSaved."""

    session: str
    generation: int


@dataclass(frozen=True)
class StartAuthenticatorSetup:
    """StartAuthenticatorSetup."""

    session: str
    proof: Proof
    ip: str = ""


@dataclass(frozen=True)
class ConfirmAuthenticatorSetup:
    """ConfirmAuthenticatorSetup."""

    session: str
    setup_id: str
    code: str
    request_id: str
    ip: str = ""


@dataclass(frozen=True)
class CancelAuthenticatorSetup:
    """CancelAuthenticatorSetup."""

    session: str
    setup_id: str


@dataclass(frozen=True)
class RegenerateBackupCode:
    """RegenerateBackupCode."""

    session: str
    request_id: str
    proof: Proof = field(default_factory=Proof)
    ip: str = ""


@dataclass(frozen=True)
class RemoveAuthenticator:
    """RemoveAuthenticator."""

    session: str
    proof: Proof
    ip: str = ""


OnChallenge = GetChallenge | SendEmailCode | VerifyEmailCode | VerifyAuthenticatorCode | UseBackupCode
Changing = (
    StartAuthenticatorSetup
    | RegenerateBackupCode
    | RemoveAuthenticator
    | SetPassword
    | ChangePassword
    | LinkIdentity
    | UnlinkIdentity
)
InSession = (
    GetSession
    | SignOut
    | ListSessions
    | RevokeSession
    | RevokeOtherSessions
    | GetTwoFactor
    | ListIdentities
    | ConfirmBackupCodeSaved
    | ConfirmAuthenticatorSetup
    | CancelAuthenticatorSetup
    | Changing
)
Call = CreateAccount | GetAccount | ConfirmFirstFactor | StartSignIn | OnChallenge | InSession
