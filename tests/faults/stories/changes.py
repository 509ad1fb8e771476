"""Stories of the signed-in owner, and of the account."""

from uuid import uuid4

from google.protobuf.message import Message

from tests.faults.stories.story import Story
from tests.people import PASSWORD, People, Person
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, two_factor_service_pb2, types_pb2
from twofactor_server.flows.steps import Step


class ConfirmSetup(Story):
    """The first code of a new phone: the authenticator is on, and the shown backup code works."""

    passes = (Step.SETUP_CODE_JUDGED, Step.AUTHENTICATOR_ON)

    async def prepare(self, people: People) -> None:
        self.person = await people.signed_in()
        setup = await people.start_setup(self.person)
        self.person.secret = setup.secret.replace(" ", "")
        self.code = self.person.code_at(people.clock.now)
        self._setup_id = setup.setup_id

    async def call(self, people: People) -> Message:
        request = two_factor_service_pb2.ConfirmAuthenticatorSetupRequest(
            session_token=self.person.session_token,
            setup_id=self._setup_id,
            code=self.code,
            request_id=self.request_id,
            client=people.client,
        )
        return await people.stubs.two_factor.ConfirmAuthenticatorSetup(request)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, two_factor_service_pb2.ConfirmAuthenticatorSetupResponse)
        assert last.backup_code.generation == 1
        await self.backup_code_works(people, last.backup_code.code)
        await people.mailbox.wait_for(self.person.email, "authenticator-on")
        assert len(people.mailbox.to(self.person.email, "authenticator-on")) == 1


class Regenerate(Story):
    """A fresh code for the password: the shown one works, the old one is dead, and no generation was skipped."""

    passes = (Step.REGENERATION_CHARGED, Step.BACKUP_CODE_REGENERATED)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        return await people.regenerate(self.person, self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, two_factor_service_pb2.RegenerateBackupCodeResponse)
        assert last.backup_code.generation == self.person.generation + 1
        await self.backup_code_works(people, last.backup_code.code)
        await people.mailbox.wait_for(self.person.email, "backup-code-regenerated")
        assert len(people.mailbox.to(self.person.email, "backup-code-regenerated")) == 1


class RemoveAuthenticator(Story):
    """Back to e-mail codes, told once."""

    passes = (Step.REMOVAL_CHARGED, Step.AUTHENTICATOR_OFF)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        await people.remove_authenticator(self.person)
        return await people.status(self.person.session_token)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, two_factor_service_pb2.GetTwoFactorResponse)
        assert last.method == types_pb2.SECOND_FACTOR_EMAIL_CODE
        await people.mailbox.wait_for(self.person.email, "authenticator-off")
        assert len(people.mailbox.to(self.person.email, "authenticator-off")) == 1


class FailReauthentication(Story):
    """A wrong password: charged once however often it is typed, so four more distinct ones end the session."""

    passes = (Step.REGENERATION_CHARGED, Step.REAUTHENTICATION_REFUSED)
    refused = "REAUTHENTICATION_FAILED"

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        return await people.regenerate(self.person, self.request_id, password="not this one")

    async def check(self, people: People, last: Message | None) -> None:
        await self.session_lives(people, self.person.session_token)
        await people.regenerate(self.person)


class StartSetup(Story):
    """A setup that changes nothing yet."""

    passes = (Step.SETUP_CHARGED, Step.SETUP_STARTED)

    async def prepare(self, people: People) -> None:
        self.person = await people.signed_in()

    async def call(self, people: People) -> Message:
        return await people.start_setup(self.person)

    async def check(self, people: People, last: Message | None) -> None:
        await people.set_up_authenticator(self.person)


class CancelSetup(Story):
    """A setup that is void."""

    passes = (Step.SETUP_CANCELLED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.signed_in()
        self._setup_id = (await people.start_setup(self.person)).setup_id

    async def call(self, people: People) -> Message:
        request = two_factor_service_pb2.CancelAuthenticatorSetupRequest(
            session_token=self.person.session_token, setup_id=self._setup_id
        )
        return await people.stubs.two_factor.CancelAuthenticatorSetup(request)

    async def check(self, people: People, last: Message | None) -> None:
        await people.set_up_authenticator(self.person)


class ConfirmSaved(Story):
    """ "I've saved it": the code goes on working."""

    passes = (Step.BACKUP_CODE_SAVED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        await people.confirm_saved(self.person.session_token, self.person.generation)
        return await people.status(self.person.session_token)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, two_factor_service_pb2.GetTwoFactorResponse)
        assert last.backup_code.HasField("save_time")
        await self.backup_code_works(people, self.person.backup_code)


class SignOut(Story):
    """The session is over."""

    passes = (Step.SIGNED_OUT,)

    async def prepare(self, people: People) -> None:
        self.person = await people.signed_in()

    async def call(self, people: People) -> Message:
        request = sign_in_service_pb2.SignOutRequest(session_token=self.person.session_token)
        return await people.stubs.sign_in.SignOut(request)


class CreateAccount(Story):
    """One account, however often it is asked for."""

    passes = (Step.ACCOUNT_CREATED,)

    async def prepare(self, people: People) -> None:
        self.person = Person(f"{uuid4().hex[:12]}@example.test", "")

    async def call(self, people: People) -> Message:
        request = account_service_pb2.CreateAccountRequest(
            email=self.person.email, password=PASSWORD, request_id=self.request_id
        )
        return await people.stubs.accounts.CreateAccount(request)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, account_service_pb2.CreateAccountResponse)
        request = account_service_pb2.GetAccountRequest(email=self.person.email)
        found = await people.stubs.accounts.GetAccount(request)
        assert found.account.account_id == last.account.account_id
