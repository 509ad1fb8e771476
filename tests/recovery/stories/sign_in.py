"""Stories of signing in."""

from typing import Any

from tests.recovery.stories.story import Story
from tests.support.factories import AccountFactory
from twofactor.v1 import sign_in_service_pb2, two_factor_service_pb2
from twofactor_server.flows.transactions import TransactionName


class UseBackupCode(Story):
    """A correct code signs in once, and the replacement works."""

    passes = (TransactionName.BACKUP_CODE_CHARGED, TransactionName.BACKUP_CODE_REPLACED)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()
        self.challenge = await factory.challenge_for(self.owner)

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.UseBackupCode(
            challenge_token=self.challenge, backup_code=self.owner.backup_code, request_id=self.request_id
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, two_factor_service_pb2.UseBackupCodeResponse)
        assert last.new_backup_code.generation == self.owner.generation + 1
        assert await self.attempts_left(factory) == 4
        await self.check_session(factory, last.session_token)
        await self.check_backup_code(factory, last.new_backup_code.code)
        await factory.mailbox.wait_for(self.owner.email, "backup-code-used", 2)
        assert len(factory.mailbox.to(self.owner.email, "backup-code-used")) == 2


class GuessBackupCode(Story):
    """A wrong code costs one attempt, however often it is sent."""

    passes = (TransactionName.BACKUP_CODE_CHARGED, TransactionName.BACKUP_CODE_REFUSED)
    reason = "CODE_MISMATCH"

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()
        self.challenge = await factory.challenge_for(self.owner)

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.UseBackupCode(
            challenge_token=self.challenge, backup_code="0000 0000 0000 0000", request_id=self.request_id
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert await self.attempts_left(factory) == 4
        await self.check_backup_code(factory, self.owner.backup_code)


class VerifyEmailCode(Story):
    """One session, and the answer is replayed."""

    passes = (TransactionName.EMAIL_CODE_VERIFIED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account()
        self.challenge = await factory.challenge_for(self.owner)
        self.code = await factory.mailbox.code(self.owner.email)

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.VerifyEmailCode(
            challenge_token=self.challenge, code=self.code, request_id=self.request_id
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, two_factor_service_pb2.VerifyEmailCodeResponse)
        await self.check_session(factory, last.session_token)
        assert await self.attempts_left(factory) == 5


class VerifyAuthenticatorCode(Story):
    """The time step is spent together with the session that it opens, or not at all."""

    passes = (TransactionName.AUTHENTICATOR_CODE_VERIFIED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()
        self.challenge = await factory.challenge_for(self.owner)
        self.code = self.owner.code_at(factory.clock.now, steps=1)

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.VerifyAuthenticatorCode(
            challenge_token=self.challenge, code=self.code, request_id=self.request_id
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, two_factor_service_pb2.VerifyAuthenticatorCodeResponse)
        await self.check_session(factory, last.session_token)


class SendEmailCode(Story):
    """One more code is sent."""

    passes = (TransactionName.EMAIL_CODE_SENT,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account()
        self.challenge = await factory.challenge_for(self.owner)
        # E-mails may arrive in any order; reading the first one now tells which code is newer.
        await factory.mailbox.code(self.owner.email)

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.SendEmailCode(challenge_token=self.challenge, request_id=self.request_id)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        code = await factory.mailbox.code(self.owner.email, 2)
        await factory.rpc.VerifyEmailCode(challenge_token=self.challenge, code=code)
        assert len(factory.mailbox.to(self.owner.email, "sign-in-code")) == 2


class StartSignIn(Story):
    """Each call opens another challenge, and all can be completed."""

    passes = (TransactionName.SIGN_IN_STARTED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        self.challenge = await factory.challenge_for(self.owner)
        return sign_in_service_pb2.StartSignInResponse(challenge_token=self.challenge)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await factory.rpc.UseBackupCode(challenge_token=self.challenge, backup_code=self.owner.backup_code)


class FailFirstFactor(Story):
    """A wrong password does not affect the second factor."""

    passes = (TransactionName.FIRST_FACTOR_REFUSED,)
    reason = "CREDENTIALS_MISMATCH"

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        await self.challenge_after_waiting(factory, "not this one")
        raise AssertionError("a wrong password was right")

    async def check(self, factory: AccountFactory, last: Any) -> None:
        challenge = await self.challenge_after_waiting(factory, self.owner.password)
        await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=self.owner.backup_code)
