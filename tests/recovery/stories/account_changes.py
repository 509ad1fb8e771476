"""Stories of the account: e-mail address, closing, and reports."""

import asyncio
import re
import time
from typing import Any

import pytest

from tests.recovery.stories.story import Story
from tests.support.factories import AccountFactory, unused_email
from tests.support.mailbox import PATIENCE, text_of
from tests.support.rpc import Refused
from tests.support.steps import NEW_PASSWORD, email_change_token, sign_in_by_app, sign_in_by_backup_code
from twofactor.v1 import account_service_pb2, types_pb2
from twofactor_server.flows.transactions import TransactionName


class ChangeEmail(Story):
    """A link for the new address. A repeated call sends another link, and only the newest works."""

    passes = (TransactionName.EMAIL_CHANGE_CHARGED, TransactionName.EMAIL_CHANGE_STARTED)
    repeats = 2

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.signed_in_account()
        self.new = unused_email()

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.ChangeEmail(**self.owner.by_password(), new_email=self.new)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        found = (await factory.rpc.GetAccount(account_id=self.owner.account_id)).account
        assert found.email == self.owner.email
        # The dead server's e-mail may arrive late and be the newest; its link is void.
        deadline = time.monotonic() + PATIENCE
        while not await self._confirmed(factory):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    async def _confirmed(self, factory: AccountFactory) -> bool:
        for mail in factory.mailbox.to(self.new, "email-change"):
            (link,) = re.findall(r"confirm-email\?token=(\S+)", text_of(mail))
            try:
                await factory.rpc.ConfirmEmailChange(token=link)
            except Refused:
                continue
            else:
                return True
        return False


class ConfirmEmailChange(Story):
    """The address changes, with one notice to each of the two addresses."""

    passes = (TransactionName.EMAIL_CHANGED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.signed_in_account()
        self.new = unused_email()
        await factory.rpc.ChangeEmail(**self.owner.by_password(), new_email=self.new)
        self.link = await email_change_token(factory, self.new)

    async def call(self, factory: AccountFactory) -> Any:
        return (await factory.rpc.ConfirmEmailChange(token=self.link)).account

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, types_pb2.Account)
        assert (last.email, last.email_verified) == (self.new, True)
        await self.check_session(factory, self.owner.session_token)
        for address in (self.owner.email, self.new):
            await factory.mailbox.wait_for(address, "email-changed")
            assert len(factory.mailbox.to(address, "email-changed")) == 1


class ReportNotMe(Story):
    """The attacker's code is retired once, the new password is set once, and the answer is replayed."""

    passes = (TransactionName.CHANGE_REPORTED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()
        await sign_in_by_backup_code(factory, self.owner)
        self.link = await factory.mailbox.link(self.owner.email, "backup-code-used", "not-me")

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.ReportNotMe(token=self.link, new_password=NEW_PASSWORD)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, account_service_pb2.ReportNotMeResponse)
        assert list(last.undone) == [
            account_service_pb2.UNDONE_CHANGE_SESSIONS_ENDED,
            account_service_pb2.UNDONE_CHANGE_PASSWORD_CHANGED,
            account_service_pb2.UNDONE_CHANGE_BACKUP_CODE_RETIRED,
        ]
        self.owner.password = NEW_PASSWORD
        signed_in = await sign_in_by_app(factory, self.owner)
        status = await factory.rpc.GetTwoFactor(session_token=signed_in.session_token)
        assert (status.backup_code.generation, status.backup_code.must_regenerate) == (3, True)


class CloseAccount(Story):
    """The account is closed, with one notice."""

    passes = (TransactionName.CLOSING_CHARGED, TransactionName.ACCOUNT_CLOSED)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        await factory.rpc.CloseAccount(**self.owner.by_password())
        return account_service_pb2.CloseAccountResponse()

    async def check(self, factory: AccountFactory, last: Any) -> None:
        with pytest.raises(Refused) as caught:
            await factory.rpc.GetAccount(account_id=self.owner.account_id)
        assert caught.value.reason == "ACCOUNT_NOT_FOUND"
        await factory.mailbox.wait_for(self.owner.email, "account-closed")
        assert len(factory.mailbox.to(self.owner.email, "account-closed")) == 1
