"""Stories of the account: its address, its end, and "this wasn't me"."""

import asyncio
import re
import time

import grpc
import pytest
from google.protobuf.message import Message

from tests.account.steps import (
    NEW_PASSWORD,
    account,
    change_email,
    change_link,
    close_account,
    confirm_email,
    unused_address,
)
from tests.article.steps import sign_in_by_app, sign_in_by_backup_code
from tests.faults.stories.story import Story
from tests.people import People
from tests.refusals import refusal
from tests.servers import PATIENCE, text_of
from twofactor.v1 import account_service_pb2, types_pb2
from twofactor_server.flows.steps import Step


class ChangeEmail(Story):
    """A link for the new address; asked for again it is another one, and only the newest works."""

    passes = (Step.EMAIL_CHANGE_CHARGED, Step.EMAIL_CHANGE_STARTED)
    repeats = 2

    async def prepare(self, people: People) -> None:
        self.person = await people.signed_in()
        self.new = unused_address()

    async def call(self, people: People) -> Message:
        return await change_email(people, self.person, self.new)

    async def check(self, people: People, last: Message | None) -> None:
        found = await account(people, account_id=self.person.account_id)
        assert found.email == self.person.email
        # The dead server's mail may come late, and be the newest in the folder; its link is void.
        deadline = time.monotonic() + PATIENCE
        while not await self._confirmed(people):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    async def _confirmed(self, people: People) -> bool:
        for mail in people.mailbox.to(self.new, "email-change"):
            (link,) = re.findall(r"confirm-email\?token=(\S+)", text_of(mail))
            try:
                await confirm_email(people, link)
            except grpc.aio.AioRpcError:
                continue
            else:
                return True
        return False


class ConfirmEmailChange(Story):
    """The address is another one, told once to each of the two."""

    passes = (Step.EMAIL_CHANGED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.signed_in()
        self.new = unused_address()
        await change_email(people, self.person, self.new)
        self.link = await change_link(people, self.new)

    async def call(self, people: People) -> Message:
        return await confirm_email(people, self.link)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, types_pb2.Account)
        assert (last.email, last.email_verified) == (self.new, True)
        await self.session_lives(people, self.person.session_token)
        for address in (self.person.email, self.new):
            await people.mailbox.wait_for(address, "email-changed")
            assert len(people.mailbox.to(address, "email-changed")) == 1


class ReportNotMe(Story):
    """The stranger's code is retired once, the new password set once, and the answer can be had again."""

    passes = (Step.NOT_ME_REPORTED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()
        await sign_in_by_backup_code(people, self.person)
        self.link = await people.mailbox.link(self.person.email, "backup-code-used", "not-me")

    async def call(self, people: People) -> Message:
        request = account_service_pb2.ReportNotMeRequest(token=self.link, new_password=NEW_PASSWORD)
        return await people.stubs.accounts.ReportNotMe(request)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, account_service_pb2.ReportNotMeResponse)
        assert list(last.undone) == [
            account_service_pb2.UNDONE_CHANGE_SESSIONS_ENDED,
            account_service_pb2.UNDONE_CHANGE_PASSWORD_CHANGED,
            account_service_pb2.UNDONE_CHANGE_BACKUP_CODE_RETIRED,
        ]
        self.person.password = NEW_PASSWORD
        signed_in = await sign_in_by_app(people, self.person)
        status = await people.status(signed_in.session_token)
        assert (status.backup_code.generation, status.backup_code.must_regenerate) == (3, True)


class CloseAccount(Story):
    """Closed, told once."""

    passes = (Step.CLOSING_CHARGED, Step.ACCOUNT_CLOSED)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()

    async def call(self, people: People) -> Message:
        await close_account(people, self.person)
        return account_service_pb2.CloseAccountResponse()

    async def check(self, people: People, last: Message | None) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await account(people, account_id=self.person.account_id)
        assert refusal(caught.value).reason == "ACCOUNT_NOT_FOUND"
        await people.mailbox.wait_for(self.person.email, "account-closed")
        assert len(people.mailbox.to(self.person.email, "account-closed")) == 1
