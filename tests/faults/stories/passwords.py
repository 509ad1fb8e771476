"""Stories of passwords: changed, set and reset, and the first factor at which they are typed."""

import asyncio

import grpc
import pytest
from google.protobuf.message import Message

from tests.article.password_steps import (
    NEW,
    account,
    change,
    complete_reset,
    mailed_tokens,
    reset_token,
    set_first,
    start_reset,
    without_a_password,
)
from tests.faults.stories.story import Story
from tests.people import People
from tests.refusals import refusal
from tests.servers import PATIENCE
from twofactor.v1 import account_service_pb2, sign_in_service_pb2
from twofactor_server.flows.steps import Step


class _NewPassword(Story):
    """The new one works, the old one does not, and the owner is told once."""

    async def check(self, people: People, last: Message | None) -> None:
        await people.mailbox.wait_for(self.person.email, "password-changed")
        assert len(people.mailbox.to(self.person.email, "password-changed")) == 1
        assert (await account(people, self.person)).has_password
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await people.challenge_for(self.person)
        assert refusal(caught.value).reason == "CREDENTIALS_MISMATCH"
        self.person.password = NEW
        await people.challenge_for(self.person)


class ChangePassword(_NewPassword):
    """Changed in the owner's session, which stays."""

    passes = (Step.PASSWORD_CHARGED, Step.PASSWORD_CHANGED)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        await change(people, self.person, request_id=self.request_id)
        return account_service_pb2.ChangePasswordResponse()

    async def check(self, people: People, last: Message | None) -> None:
        await self.session_lives(people, self.person.session_token)
        await super().check(people, last)
        await self.backup_code_works(people, self.person.backup_code)


class SetPassword(_NewPassword):
    """The first one of an account without."""

    passes = (Step.PASSWORD_CHARGED, Step.PASSWORD_CHANGED)

    async def prepare(self, people: People) -> None:
        self.person = await without_a_password(people)

    async def call(self, people: People) -> Message:
        await set_first(people, self.person, request_id=self.request_id)
        return account_service_pb2.SetPasswordResponse()


class StartPasswordReset(Story):
    """A link is mailed; asked for again there is another. However many there are, one of them works."""

    passes = (Step.PASSWORD_RESET_STARTED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        await start_reset(people, self.person.email)
        return account_service_pb2.StartPasswordResetResponse()

    async def check(self, people: People, last: Message | None) -> None:
        tried: set[str] = set()
        async with asyncio.timeout(PATIENCE):
            while not await self._reset(people, tried):
                await asyncio.sleep(0.05)
        assert not await self._reset(people, tried)
        assert len(tried) <= 3
        self.person.password = NEW
        await self.backup_code_works(people, self.person.backup_code)

    async def _reset(self, people: People, tried: set[str]) -> bool:
        """Whether one of the links that came meanwhile works."""
        for token in mailed_tokens(people, self.person.email):
            if token in tried:
                continue
            tried.add(token)
            try:
                await complete_reset(people, token)
            except grpc.aio.AioRpcError as error:
                if refusal(error).reason != "LINK_INVALID":
                    raise
            else:
                return True
        return False


class CompletePasswordReset(_NewPassword):
    """Reset by the link, once."""

    passes = (Step.PASSWORD_RESET,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()
        self.token = await reset_token(people, self.person.email)

    async def call(self, people: People) -> Message:
        await complete_reset(people, self.token)
        return account_service_pb2.CompletePasswordResetResponse()

    async def check(self, people: People, last: Message | None) -> None:
        await super().check(people, last)
        await self.backup_code_works(people, self.person.backup_code)


class _FailedBefore(Story):
    """From a network that has failed four times: each attempt is counted before it is judged."""

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()
        for _ in range(4):
            await self._mistype(people)

    async def _mistype(self, people: People) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as wrong:
            await self.patient_challenge(people, "not this one")
        assert refusal(wrong.value).reason == "CREDENTIALS_MISMATCH"


class FailFirstFactorAgain(_FailedBefore):
    """A fifth wrong password; the right one is still right when the wait is over."""

    passes = (Step.FIRST_FACTOR_CHARGED, Step.FIRST_FACTOR_REFUSED)
    refused = "CREDENTIALS_MISMATCH"

    async def call(self, people: People) -> Message:
        return sign_in_service_pb2.StartSignInResponse(
            challenge_token=await self.patient_challenge(people, "not this one")
        )

    async def check(self, people: People, last: Message | None) -> None:
        challenge = await self.patient_challenge(people, self.person.password)
        await people.use_backup_code(challenge, self.person.backup_code)


class PassFirstFactorAfterFailures(_FailedBefore):
    """A right password after four wrong ones: it opens a challenge, and four more may be wrong without a wait."""

    passes = (Step.FIRST_FACTOR_CHARGED, Step.FIRST_FACTOR_FORGIVEN, Step.SIGN_IN_STARTED)

    async def call(self, people: People) -> Message:
        self.challenge = await self.patient_challenge(people, self.person.password)
        return sign_in_service_pb2.StartSignInResponse(challenge_token=self.challenge)

    async def check(self, people: People, last: Message | None) -> None:
        await people.use_backup_code(self.challenge, self.person.backup_code)
        before = people.clock.now
        for _ in range(4):
            await self._mistype(people)
        assert people.clock.now == before, "nobody had to wait"
