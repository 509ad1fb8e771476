"""Stories of a signed-in owner, and of creating an account."""

from typing import Any

from tests.recovery.stories.story import Story
from tests.support.factories import PASSWORD, AccountFactory, Owner, unused_email
from twofactor.v1 import account_service_pb2, two_factor_service_pb2, types_pb2
from twofactor_server.flows.transactions import TransactionName


class ConfirmSetup(Story):
    """The first code of a new device: the authenticator is enabled, and the backup code works."""

    passes = (TransactionName.SETUP_CODE_VERIFIED, TransactionName.AUTHENTICATOR_ON)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.signed_in_account()
        setup = await factory.rpc.StartAuthenticatorSetup(**self.owner.by_password())
        self.owner.secret = setup.secret.replace(" ", "")
        self.code = self.owner.code_at(factory.clock.now)
        self._setup_id = setup.setup_id

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.ConfirmAuthenticatorSetup(
            session_token=self.owner.session_token, setup_id=self._setup_id, code=self.code, request_id=self.request_id
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, two_factor_service_pb2.ConfirmAuthenticatorSetupResponse)
        assert last.backup_code.generation == 1
        await self.check_backup_code(factory, last.backup_code.code)
        await factory.mailbox.wait_for(self.owner.email, "authenticator-on")
        assert len(factory.mailbox.to(self.owner.email, "authenticator-on")) == 1


class Regenerate(Story):
    """The new code works, the old one does not, and no generation is skipped."""

    passes = (TransactionName.REGENERATION_CHARGED, TransactionName.BACKUP_CODE_REGENERATED)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.RegenerateBackupCode(**self.owner.by_password(), request_id=self.request_id)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, two_factor_service_pb2.RegenerateBackupCodeResponse)
        assert last.backup_code.generation == self.owner.generation + 1
        await self.check_backup_code(factory, last.backup_code.code)
        await factory.mailbox.wait_for(self.owner.email, "backup-code-regenerated")
        assert len(factory.mailbox.to(self.owner.email, "backup-code-regenerated")) == 1


class RemoveAuthenticator(Story):
    """The account is back on e-mail codes, with one notice."""

    passes = (TransactionName.REMOVAL_CHARGED, TransactionName.AUTHENTICATOR_OFF)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        await factory.rpc.RemoveAuthenticator(**self.owner.by_password())
        return await factory.rpc.GetTwoFactor(session_token=self.owner.session_token)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, two_factor_service_pb2.GetTwoFactorResponse)
        assert last.method == types_pb2.SECOND_FACTOR_EMAIL_CODE
        await factory.mailbox.wait_for(self.owner.email, "authenticator-off")
        assert len(factory.mailbox.to(self.owner.email, "authenticator-off")) == 1


class FailReauthentication(Story):
    """A wrong password is charged once however often it is sent, so four more distinct ones end the session."""

    passes = (TransactionName.REGENERATION_CHARGED, TransactionName.REAUTHENTICATION_REFUSED)
    reason = "REAUTHENTICATION_FAILED"

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.RegenerateBackupCode(
            **self.owner.by_password(password="not this one"), request_id=self.request_id
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await self.check_session(factory, self.owner.session_token)
        await factory.rpc.RegenerateBackupCode(**self.owner.by_password())


class StartSetup(Story):
    """A pending setup that changes nothing yet."""

    passes = (TransactionName.SETUP_CHARGED, TransactionName.SETUP_STARTED)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.signed_in_account()

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.StartAuthenticatorSetup(**self.owner.by_password())

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await factory.set_up_authenticator(self.owner)


class CancelSetup(Story):
    """A void setup."""

    passes = (TransactionName.SETUP_CANCELLED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.signed_in_account()
        self._setup_id = (await factory.rpc.StartAuthenticatorSetup(**self.owner.by_password())).setup_id

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.CancelAuthenticatorSetup(
            session_token=self.owner.session_token, setup_id=self._setup_id
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await factory.set_up_authenticator(self.owner)


class ConfirmSaved(Story):
    """The code is saved and still works."""

    passes = (TransactionName.BACKUP_CODE_SAVED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        await factory.rpc.ConfirmBackupCodeSaved(
            session_token=self.owner.session_token, generation=self.owner.generation
        )
        return await factory.rpc.GetTwoFactor(session_token=self.owner.session_token)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, two_factor_service_pb2.GetTwoFactorResponse)
        assert last.backup_code.HasField("save_time")
        await self.check_backup_code(factory, self.owner.backup_code)


class SignOut(Story):
    """The session is ended."""

    passes = (TransactionName.SIGNED_OUT,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.signed_in_account()

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.SignOut(session_token=self.owner.session_token)


class CreateAccount(Story):
    """One account, however often it is requested."""

    passes = (TransactionName.ACCOUNT_CREATED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = Owner(unused_email(), "")

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.CreateAccount(email=self.owner.email, password=PASSWORD, request_id=self.request_id)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, account_service_pb2.CreateAccountResponse)
        found = await factory.rpc.GetAccount(email=self.owner.email)
        assert found.account.account_id == last.account.account_id
