"""Stories of signing in."""

from google.protobuf.message import Message

from tests.faults.stories.story import Story
from tests.people import People
from twofactor.v1 import sign_in_service_pb2, two_factor_service_pb2
from twofactor_server.flows.steps import Step


class UseBackupCode(Story):
    """The right code: it signs in once, and the replacement that the owner ends up with works."""

    passes = (Step.BACKUP_CODE_CHARGED, Step.BACKUP_CODE_REPLACED)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()
        self.challenge = await people.challenge_for(self.person)

    async def call(self, people: People) -> Message:
        return await people.use_backup_code(self.challenge, self.person.backup_code, self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, two_factor_service_pb2.UseBackupCodeResponse)
        assert last.new_backup_code.generation == self.person.generation + 1
        assert await self.attempts_left(people) == 4
        await self.session_lives(people, last.session_token)
        await self.backup_code_works(people, last.new_backup_code.code)
        await people.mailbox.wait_for(self.person.email, "backup-code-used", 2)
        assert len(people.mailbox.to(self.person.email, "backup-code-used")) == 2


class GuessBackupCode(Story):
    """A wrong code: it costs one attempt, however often the guess is made again."""

    passes = (Step.BACKUP_CODE_CHARGED, Step.BACKUP_CODE_REFUSED)
    refused = "CODE_MISMATCH"

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()
        self.challenge = await people.challenge_for(self.person)

    async def call(self, people: People) -> Message:
        return await people.use_backup_code(self.challenge, "0000 0000 0000 0000", self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        assert await self.attempts_left(people) == 4
        await self.backup_code_works(people, self.person.backup_code)


class VerifyEmailCode(Story):
    """The mailed code: one session, and the answer that names it can be had again."""

    passes = (Step.EMAIL_CODE_JUDGED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_account()
        self.challenge = await people.challenge_for(self.person)
        self.code = await people.mailbox.code(self.person.email)

    async def call(self, people: People) -> Message:
        return await people.verify_email_code(self.challenge, self.code, self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, two_factor_service_pb2.VerifyEmailCodeResponse)
        await self.session_lives(people, last.session_token)
        assert await self.attempts_left(people) == 5


class VerifyAuthenticatorCode(Story):
    """The app's code: its step is spent together with the session that it opens, or not at all."""

    passes = (Step.AUTHENTICATOR_CODE_JUDGED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()
        self.challenge = await people.challenge_for(self.person)
        self.code = self.person.code_at(people.clock.now, steps=1)

    async def call(self, people: People) -> Message:
        return await people.verify_authenticator_code(self.challenge, self.code, self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, two_factor_service_pb2.VerifyAuthenticatorCodeResponse)
        await self.session_lives(people, last.session_token)


class SendEmailCode(Story):
    """Another code: mailed once."""

    passes = (Step.EMAIL_CODE_SENT,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_account()
        self.challenge = await people.challenge_for(self.person)
        # Mails may overtake each other; which code is the newer one is told apart by having read the first.
        await people.mailbox.code(self.person.email)

    async def call(self, people: People) -> Message:
        request = two_factor_service_pb2.SendEmailCodeRequest(
            challenge_token=self.challenge, request_id=self.request_id, client=people.client
        )
        return await people.stubs.two_factor.SendEmailCode(request)

    async def check(self, people: People, last: Message | None) -> None:
        code = await people.mailbox.code(self.person.email, 2)
        await people.verify_email_code(self.challenge, code)
        assert len(people.mailbox.to(self.person.email, "sign-in-code")) == 2


class StartSignIn(Story):
    """A challenge; made again it is another one, and both can be completed."""

    passes = (Step.SIGN_IN_STARTED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        self.challenge = await people.challenge_for(self.person)
        return sign_in_service_pb2.StartSignInResponse(challenge_token=self.challenge)

    async def check(self, people: People, last: Message | None) -> None:
        await people.use_backup_code(self.challenge, self.person.backup_code)


class FailFirstFactor(Story):
    """A wrong password touches nothing of the second factor."""

    passes = (Step.FIRST_FACTOR_REFUSED,)
    refused = "CREDENTIALS_MISMATCH"

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        await self.patient_challenge(people, "not this one")
        raise AssertionError("a wrong password was right")

    async def check(self, people: People, last: Message | None) -> None:
        challenge = await self.patient_challenge(people, self.person.password)
        await people.use_backup_code(challenge, self.person.backup_code)
