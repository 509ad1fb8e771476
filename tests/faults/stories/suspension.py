"""Stories of the suspended first factor."""

import contextlib

import grpc
from google.protobuf.message import Message

from tests.article.steps import vouched_challenge, wrong_backup_codes
from tests.article.suspensions import FAILED, SUSPENDED, mailed_link
from tests.faults.stories.story import Story
from tests.people import People
from twofactor.v1 import account_service_pb2
from twofactor_server.flows.steps import Step

NEW = "a password chosen by the owner"


class LastGuess(Story):
    """The twentieth wrong code: counted once however often it is made, it suspends once, and is told once."""

    passes = (Step.BACKUP_CODE_REFUSED,)
    refused = "CODE_MISMATCH"
    guesses = 19

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()
        codes = wrong_backup_codes()
        for number in range(self.guesses):
            if number % 5 == 0:
                self.challenge = await vouched_challenge(people, self.person)
            with contextlib.suppress(grpc.aio.AioRpcError):
                await people.use_backup_code(self.challenge, next(codes))

    async def call(self, people: People) -> Message:
        return await people.use_backup_code(self.challenge, "abcd 1234 ef56 7890", self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        await mailed_link(people, self.person)
        await people.mailbox.wait_for(self.person.email, FAILED, 15)
        assert len(people.mailbox.to(self.person.email, SUSPENDED)) == 1
        assert len(people.mailbox.to(self.person.email, FAILED)) == 15


class StartSuspended(LastGuess):
    """A right first factor that is suspended opens nothing."""

    passes = (Step.SIGN_IN_STARTED,)
    refused = "FIRST_FACTOR_SUSPENDED"
    guesses = 20

    async def call(self, people: People) -> Message:
        await people.challenge_for(self.person)
        raise AssertionError("it opened a challenge")


class ConfirmFirstFactor(LastGuess):
    """The link is used once, for one password: it works, the old one does not, and the count begins anew."""

    passes = (Step.FIRST_FACTOR_CONFIRMED,)
    refused = ""
    guesses = 20

    async def prepare(self, people: People) -> None:
        await super().prepare(people)
        self.code = await mailed_link(people, self.person)

    async def call(self, people: People) -> Message:
        request = account_service_pb2.ConfirmFirstFactorRequest(token=self.code, new_password=NEW, client=people.client)
        return await people.stubs.accounts.ConfirmFirstFactor(request)

    async def check(self, people: People, last: Message | None) -> None:
        self.person.password = NEW
        await self.backup_code_works(people, self.person.backup_code)
        await super().check(people, last)
