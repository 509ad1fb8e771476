"""The calls of the account service, with every value filled in."""

from dataclasses import dataclass

from tests.stateful.oracle.given import Proof
from tests.stateful.oracle.linking import Credential


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
