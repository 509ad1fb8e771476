"""People and their accounts, built over the contract; builders are named by the state they leave."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

import grpc
import pyotp

from tests.providers.both import Providers
from tests.providers.github import GitHubServer
from tests.providers.openid import OpenIdServer
from tests.servers import Clock, Mailbox, Server
from twofactor.v1 import (
    account_service_pb2,
    account_service_pb2_grpc,
    sign_in_service_pb2,
    sign_in_service_pb2_grpc,
    two_factor_service_pb2,
    two_factor_service_pb2_grpc,
    types_pb2,
)

PASSWORD = "correct horse battery staple"
CLIENT = types_pb2.ClientInfo(ip_address="192.0.2.10", user_agent="Mozilla/5.0 (X11; Linux) Firefox/140.0")


class Stubs:
    """The three services on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.sign_in = sign_in_service_pb2_grpc.SignInServiceStub(channel)
        self.two_factor = two_factor_service_pb2_grpc.TwoFactorServiceStub(channel)
        self.accounts = account_service_pb2_grpc.AccountServiceStub(channel)


@dataclass
class Person:
    """An account's owner: what they know, hold, and were shown."""

    email: str
    account_id: str
    password: str = PASSWORD
    session_token: str = ""
    secret: str = ""
    backup_code: str = ""
    generation: int = 0
    last_step: int = 0

    def code_at(self, moment: datetime, steps: int = 0) -> str:
        """What the app shows ``steps`` steps from ``moment``."""
        return pyotp.TOTP(self.secret).at(int(moment.timestamp()) + 30 * steps)

    def wrong_code_at(self, moment: datetime) -> str:
        """Six digits that the app shows at no step near ``moment``."""
        shown = {self.code_at(moment, steps) for steps in range(-2, 3)}
        return next(
            digits for digits in ("000000", "111111", "222222", "333333", "444444", "555555") if digits not in shown
        )


@dataclass
class People:
    """Builders. Each person has an address of their own."""

    stubs: Stubs
    mailbox: Mailbox
    clock: Clock
    client: types_pb2.ClientInfo = field(default_factory=lambda: CLIENT)
    providers: Providers | None = None

    async def with_account(self) -> Person:
        """On e-mail codes, never signed in."""
        address = f"{uuid4().hex[:12]}@example.test"
        request = account_service_pb2.CreateAccountRequest(email=address, password=PASSWORD)
        created = await self.stubs.accounts.CreateAccount(request)
        return Person(address, created.account.account_id)

    @property
    def openid(self) -> OpenIdServer:
        """The OpenID provider that the server knows as ``example``."""
        assert self.providers
        return self.providers.openid

    @property
    def github(self) -> GitHubServer:
        """The GitHub that the server knows."""
        assert self.providers
        return self.providers.github

    async def signed_in(self) -> Person:
        """On e-mail codes, with a session."""
        person = await self.with_account()
        challenge = await self.challenge_for(person)
        code = await self.mailbox.code(person.email)
        request = two_factor_service_pb2.VerifyEmailCodeRequest(
            challenge_token=challenge, code=code, client=self.client
        )
        signed_in = await self.stubs.two_factor.VerifyEmailCode(request)
        return replace(person, session_token=signed_in.session_token)

    async def with_authenticator(self) -> Person:
        """With an authenticator, a session that set it up, and the first backup code in hand."""
        person = await self.signed_in()
        await self.set_up_authenticator(person)
        return person

    async def set_up_authenticator(self, person: Person) -> None:
        """Set up a (new) phone in the person's session; spends the current step of it."""
        started = await self.start_setup(person)
        secret = started.secret.replace(" ", "")
        request = two_factor_service_pb2.ConfirmAuthenticatorSetupRequest(
            session_token=person.session_token,
            setup_id=started.setup_id,
            code=pyotp.TOTP(secret).at(int(self.clock.now.timestamp())),
            client=self.client,
        )
        confirmed = await self.stubs.two_factor.ConfirmAuthenticatorSetup(request)
        person.secret = secret
        person.backup_code = confirmed.backup_code.code
        person.generation = confirmed.backup_code.generation

    async def start_setup(self, person: Person) -> two_factor_service_pb2.StartAuthenticatorSetupResponse:
        """Begin a setup, for the password."""
        request = two_factor_service_pb2.StartAuthenticatorSetupRequest(
            session_token=person.session_token,
            reauthentication=types_pb2.Reauthentication(password=person.password),
            client=self.client,
        )
        return await self.stubs.two_factor.StartAuthenticatorSetup(request)

    async def challenge_for(
        self, person: Person, client: types_pb2.ClientInfo | None = None, *, remember_me: bool = False
    ) -> str:
        """Pass the first factor; the challenge's token."""
        request = sign_in_service_pb2.StartSignInRequest(
            password=types_pb2.PasswordCredential(email=person.email, password=person.password),
            remember_me=remember_me,
            client=client or self.client,
        )
        return (await self.stubs.sign_in.StartSignIn(request)).challenge_token

    async def use_backup_code(
        self, challenge: str, code: str, request_id: str = "", client: types_pb2.ClientInfo | None = None
    ) -> two_factor_service_pb2.UseBackupCodeResponse:
        """UseBackupCode."""
        request = two_factor_service_pb2.UseBackupCodeRequest(
            challenge_token=challenge, backup_code=code, request_id=request_id, client=client or self.client
        )
        return await self.stubs.two_factor.UseBackupCode(request)

    async def verify_authenticator_code(
        self, challenge: str, code: str, request_id: str = ""
    ) -> two_factor_service_pb2.VerifyAuthenticatorCodeResponse:
        """VerifyAuthenticatorCode."""
        request = two_factor_service_pb2.VerifyAuthenticatorCodeRequest(
            challenge_token=challenge, code=code, request_id=request_id, client=self.client
        )
        return await self.stubs.two_factor.VerifyAuthenticatorCode(request)

    async def verify_email_code(
        self, challenge: str, code: str, request_id: str = ""
    ) -> two_factor_service_pb2.VerifyEmailCodeResponse:
        """VerifyEmailCode."""
        request = two_factor_service_pb2.VerifyEmailCodeRequest(
            challenge_token=challenge, code=code, request_id=request_id, client=self.client
        )
        return await self.stubs.two_factor.VerifyEmailCode(request)

    async def send_email_code(
        self, challenge: str, request_id: str = "", client: types_pb2.ClientInfo | None = None
    ) -> types_pb2.Challenge:
        """SendEmailCode."""
        request = two_factor_service_pb2.SendEmailCodeRequest(
            challenge_token=challenge, request_id=request_id, client=client or self.client
        )
        return (await self.stubs.two_factor.SendEmailCode(request)).challenge

    async def challenge(self, challenge: str) -> types_pb2.Challenge:
        """GetChallenge."""
        request = sign_in_service_pb2.GetChallengeRequest(challenge_token=challenge)
        return (await self.stubs.sign_in.GetChallenge(request)).challenge

    async def session(self, session_token: str) -> types_pb2.Session:
        """GetSession."""
        request = sign_in_service_pb2.GetSessionRequest(session_token=session_token)
        return (await self.stubs.sign_in.GetSession(request)).session

    async def sign_out(self, session_token: str) -> None:
        """SignOut."""
        await self.stubs.sign_in.SignOut(sign_in_service_pb2.SignOutRequest(session_token=session_token))

    async def sessions(self, session_token: str) -> list[types_pb2.Session]:
        """ListSessions."""
        request = sign_in_service_pb2.ListSessionsRequest(session_token=session_token)
        return list((await self.stubs.sign_in.ListSessions(request)).sessions)

    async def revoke(self, session_token: str, session_id: str) -> None:
        """RevokeSession."""
        request = sign_in_service_pb2.RevokeSessionRequest(
            session_token=session_token, session_id=session_id, client=self.client
        )
        await self.stubs.sign_in.RevokeSession(request)

    async def revoke_others(self, session_token: str, *, including_this: bool = False) -> None:
        """RevokeOtherSessions."""
        request = sign_in_service_pb2.RevokeOtherSessionsRequest(
            session_token=session_token, including_this=including_this, client=self.client
        )
        await self.stubs.sign_in.RevokeOtherSessions(request)

    async def confirm_setup(
        self, person: Person, setup_id: str, code: str, request_id: str = ""
    ) -> two_factor_service_pb2.ConfirmAuthenticatorSetupResponse:
        """ConfirmAuthenticatorSetup."""
        request = two_factor_service_pb2.ConfirmAuthenticatorSetupRequest(
            session_token=person.session_token, setup_id=setup_id, code=code, request_id=request_id, client=self.client
        )
        return await self.stubs.two_factor.ConfirmAuthenticatorSetup(request)

    async def cancel_setup(self, person: Person, setup_id: str) -> None:
        """CancelAuthenticatorSetup."""
        request = two_factor_service_pb2.CancelAuthenticatorSetupRequest(
            session_token=person.session_token, setup_id=setup_id
        )
        await self.stubs.two_factor.CancelAuthenticatorSetup(request)

    async def regenerate(
        self, person: Person, request_id: str = "", password: str | None = None
    ) -> two_factor_service_pb2.RegenerateBackupCodeResponse:
        """RegenerateBackupCode, for the password."""
        request = two_factor_service_pb2.RegenerateBackupCodeRequest(
            session_token=person.session_token,
            reauthentication=types_pb2.Reauthentication(password=password or person.password),
            request_id=request_id,
            client=self.client,
        )
        return await self.stubs.two_factor.RegenerateBackupCode(request)

    async def remove_authenticator(self, person: Person) -> None:
        """RemoveAuthenticator, for the password."""
        request = two_factor_service_pb2.RemoveAuthenticatorRequest(
            session_token=person.session_token,
            reauthentication=types_pb2.Reauthentication(password=person.password),
            client=self.client,
        )
        await self.stubs.two_factor.RemoveAuthenticator(request)

    async def confirm_saved(self, session_token: str, generation: int) -> None:
        """ConfirmBackupCodeSaved."""
        request = two_factor_service_pb2.ConfirmBackupCodeSavedRequest(
            session_token=session_token, generation=generation
        )
        await self.stubs.two_factor.ConfirmBackupCodeSaved(request)

    async def status(self, session_token: str) -> two_factor_service_pb2.GetTwoFactorResponse:
        """GetTwoFactor."""
        return await self.stubs.two_factor.GetTwoFactor(
            two_factor_service_pb2.GetTwoFactorRequest(session_token=session_token)
        )


def people_of(server: Server, channel: grpc.aio.Channel) -> People:
    """Builders on this server."""
    return People(Stubs(channel), server.mailbox, server.clock, providers=server.providers)
