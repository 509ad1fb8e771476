"""What somebody gives to prove who they are: a password, a trusted caller's word, an identity, an app's code."""

from dataclasses import dataclass
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
