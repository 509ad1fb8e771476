"""The calls of the other services, with every value filled in, and all calls together."""

from dataclasses import dataclass, field

from tests.stateful.oracle.account_calls import (
    ChangePassword,
    ConfirmFirstFactor,
    CreateAccount,
    GetAccount,
    LinkIdentity,
    ListIdentities,
    SetPassword,
    UnlinkIdentity,
)
from tests.stateful.oracle.given import Asserted, Proof
from tests.stateful.oracle.linking import Credential


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
