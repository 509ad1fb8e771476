"""Accounts in a known state, created through the contract. The factory's methods are named by the state they leave."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import grpc
import pyotp
from google.protobuf.timestamp_pb2 import Timestamp

from tests.support.clock import Clock
from tests.support.mailbox import Mailbox
from tests.support.providers.both import Providers
from tests.support.providers.github import GitHubServer
from tests.support.providers.openid import OpenIdServer
from tests.support.rpc import Rpc
from tests.support.servers import Server
from twofactor.v1 import types_pb2

PASSWORD = "correct horse battery staple"


def unused_email() -> str:
    """An e-mail address that no account has."""
    return f"{uuid4().hex[:12]}@example.test"


@dataclass
class Owner:
    """The owner of an account: credentials, session and backup code."""

    email: str
    account_id: str
    password: str = PASSWORD
    session_token: str = ""
    secret: str = ""
    backup_code: str = ""
    generation: int = 0

    @property
    def credential(self) -> types_pb2.PasswordCredential:
        """The password as a first factor."""
        return types_pb2.PasswordCredential(email=self.email, password=self.password)

    def by_password(self, *, session_token: str = "", password: str = "") -> dict[str, Any]:
        """The fields of a request in the owner's session that is re-authenticated by the password."""
        reauthentication = types_pb2.Reauthentication(password=password or self.password)
        return {"session_token": session_token or self.session_token, "reauthentication": reauthentication}

    def code_at(self, moment: datetime, steps: int = 0) -> str:
        """The authenticator app's code ``steps`` time steps after ``moment``."""
        return pyotp.TOTP(self.secret).at(int(moment.timestamp()) + 30 * steps)

    def wrong_code_at(self, moment: datetime) -> str:
        """Six digits that are not the app's code at any time step near ``moment``."""
        shown = {self.code_at(moment, steps) for steps in range(-2, 3)}
        return next(
            digits for digits in ("000000", "111111", "222222", "333333", "444444", "555555") if digits not in shown
        )


@dataclass
class AccountFactory:
    """Creates accounts on one server. Each account has an e-mail address of its own."""

    rpc: Rpc
    mailbox: Mailbox
    clock: Clock
    providers: Providers | None = None

    @property
    def openid(self) -> OpenIdServer:
        """The OpenID provider that the server knows as ``example``."""
        assert self.providers
        return self.providers.openid

    @property
    def github(self) -> GitHubServer:
        """The GitHub server that the server knows."""
        assert self.providers
        return self.providers.github

    async def account(self) -> Owner:
        """An account on e-mail codes that has never signed in."""
        email = unused_email()
        created = await self.rpc.CreateAccount(email=email, password=PASSWORD)
        return Owner(email, created.account.account_id)

    async def signed_in_account(self) -> Owner:
        """An account on e-mail codes, with a session."""
        owner = await self.account()
        await self._sign_in_by_email(owner, await self.challenge_for(owner))
        return owner

    async def account_without_password(self) -> Owner:
        """An account on e-mail codes without a password, with a session that a trusted caller's assertion opened."""
        email = unused_email()
        created = await self.rpc.CreateAccount(email=email)
        owner = Owner(email, created.account.account_id)
        await self._sign_in_by_email(owner, await self.asserted_challenge_for(owner))
        return owner

    async def account_with_authenticator(self) -> Owner:
        """An account with an authenticator, the session that set it up, and the first backup code."""
        owner = await self.signed_in_account()
        await self.set_up_authenticator(owner)
        return owner

    async def set_up_authenticator(self, owner: Owner) -> None:
        """Set up an authenticator in the owner's session; uses the current time step of it."""
        started = await self.rpc.StartAuthenticatorSetup(**owner.by_password())
        await self.finish_setup(owner, started)

    async def finish_setup(self, owner: Owner, started: Any) -> None:
        """Confirm a started setup with its current code; the owner keeps the secret and the backup code."""
        secret = started.secret.replace(" ", "")
        confirmed = await self.rpc.ConfirmAuthenticatorSetup(
            session_token=owner.session_token,
            setup_id=started.setup_id,
            code=pyotp.TOTP(secret).at(int(self.clock.now.timestamp())),
        )
        owner.secret = secret
        owner.backup_code = confirmed.backup_code.code
        owner.generation = confirmed.backup_code.generation

    async def challenge_for(self, owner: Owner, **fields: Any) -> str:
        """Pass the first factor with the password; returns the token of the challenge."""
        started = await self.rpc.StartSignIn(password=owner.credential, **fields)
        token: str = started.challenge_token
        return token

    async def asserted_challenge_for(self, owner: Owner, **fields: Any) -> str:
        """Pass the first factor by a trusted caller's assertion, which needs no password and no hashing."""
        token: str = (await self.rpc.StartSignIn(asserted=self.assertion(owner), **fields)).challenge_token
        return token

    def assertion(self, owner: Owner) -> types_pb2.AssertedFirstFactor:
        """A trusted caller's assertion that the owner has passed the first factor now."""
        auth_time = Timestamp()
        auth_time.FromDatetime(self.clock.now)
        return types_pb2.AssertedFirstFactor(account_id=owner.account_id, auth_time=auth_time)

    def by_assertion(self, owner: Owner) -> dict[str, Any]:
        """The fields of a request in the owner's session that is re-authenticated by a trusted caller's assertion."""
        reauthentication = types_pb2.Reauthentication(asserted=self.assertion(owner))
        return {"session_token": owner.session_token, "reauthentication": reauthentication}

    def over(self, channel: grpc.aio.Channel) -> "AccountFactory":
        """The same factory over another channel."""
        return replace(self, rpc=Rpc(channel))

    def from_client(self, client: types_pb2.ClientInfo) -> "AccountFactory":
        """The same factory for a client with another address or browser."""
        return replace(self, rpc=Rpc(self.rpc.channel, client))

    async def _sign_in_by_email(self, owner: Owner, challenge: str) -> None:
        code = await self.mailbox.code(owner.email)
        signed_in = await self.rpc.VerifyEmailCode(challenge_token=challenge, code=code)
        owner.session_token = signed_in.session_token


def factory_for(server: Server, channel: grpc.aio.Channel) -> AccountFactory:
    """A factory on this server."""
    return AccountFactory(Rpc(channel), server.mailbox, server.clock, server.providers)
