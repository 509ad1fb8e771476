"""Stories of passwords: changed, set and reset, and used as a first factor."""

import asyncio
from typing import Any

import pytest

from tests.recovery.stories.story import Story
from tests.support.factories import AccountFactory
from tests.support.mailbox import PATIENCE
from tests.support.rpc import Refused
from tests.support.steps import (
    NEW_PASSWORD,
    change_password,
    complete_password_reset,
    request_reset_token,
    set_password,
)
from twofactor.v1 import account_service_pb2, sign_in_service_pb2
from twofactor_server.flows.transactions import TransactionName


class _NewPasswordStory(Story):
    """The new password works, the old one does not, and one notice is sent."""

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await factory.mailbox.wait_for(self.owner.email, "password-changed")
        assert len(factory.mailbox.to(self.owner.email, "password-changed")) == 1
        assert (await factory.rpc.GetAccount(account_id=self.owner.account_id)).account.has_password
        with pytest.raises(Refused) as caught:
            await factory.challenge_for(self.owner)
        assert caught.value.reason == "CREDENTIALS_MISMATCH"
        self.owner.password = NEW_PASSWORD
        await factory.challenge_for(self.owner)


class ChangePassword(_NewPasswordStory):
    """Changed in the owner's session, which stays."""

    passes = (TransactionName.PASSWORD_CHARGED, TransactionName.PASSWORD_CHANGED)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        await change_password(factory, self.owner, request_id=self.request_id)
        return account_service_pb2.ChangePasswordResponse()

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await self.check_session(factory, self.owner.session_token)
        await super().check(factory, last)
        await self.check_backup_code(factory, self.owner.backup_code)


class SetPassword(_NewPasswordStory):
    """The first password of an account without one."""

    passes = (TransactionName.PASSWORD_CHARGED, TransactionName.PASSWORD_CHANGED)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_without_password()

    async def call(self, factory: AccountFactory) -> Any:
        await set_password(factory, self.owner, request_id=self.request_id)
        return account_service_pb2.SetPasswordResponse()


class StartPasswordReset(Story):
    """Each call sends a link, and exactly one of them works."""

    passes = (TransactionName.PASSWORD_RESET_STARTED,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()

    async def call(self, factory: AccountFactory) -> Any:
        await factory.rpc.StartPasswordReset(email=self.owner.email)
        return account_service_pb2.StartPasswordResetResponse()

    async def check(self, factory: AccountFactory, last: Any) -> None:
        tried: set[str] = set()
        async with asyncio.timeout(PATIENCE):
            while not await self._try_links(factory, tried):
                await asyncio.sleep(0.05)
        assert not await self._try_links(factory, tried)
        assert len(tried) <= 3
        self.owner.password = NEW_PASSWORD
        await self.check_backup_code(factory, self.owner.backup_code)

    async def _try_links(self, factory: AccountFactory, tried: set[str]) -> bool:
        """Whether one of the links that have arrived works."""
        for token in factory.mailbox.links(self.owner.email, "password-reset", "reset-password"):
            if token in tried:
                continue
            tried.add(token)
            try:
                await complete_password_reset(factory, token)
            except Refused as error:
                if error.reason != "LINK_INVALID":
                    raise
            else:
                return True
        return False


class CompletePasswordReset(_NewPasswordStory):
    """The password is reset once."""

    passes = (TransactionName.PASSWORD_RESET,)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()
        self.token = await request_reset_token(factory, self.owner.email)

    async def call(self, factory: AccountFactory) -> Any:
        await complete_password_reset(factory, self.token)
        return account_service_pb2.CompletePasswordResetResponse()

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await super().check(factory, last)
        await self.check_backup_code(factory, self.owner.backup_code)


class _AfterFailures(Story):
    """From a network with four failures: each attempt is charged before it is verified."""

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()
        for _ in range(4):
            await self._fail(factory)

    async def _fail(self, factory: AccountFactory) -> None:
        with pytest.raises(Refused) as wrong:
            await self.challenge_after_waiting(factory, "not this one")
        assert wrong.value.reason == "CREDENTIALS_MISMATCH"


class FailFirstFactorAgain(_AfterFailures):
    """A fifth wrong password; the correct one works after the wait."""

    passes = (TransactionName.FIRST_FACTOR_CHARGED, TransactionName.FIRST_FACTOR_REFUSED)
    reason = "CREDENTIALS_MISMATCH"

    async def call(self, factory: AccountFactory) -> Any:
        return sign_in_service_pb2.StartSignInResponse(
            challenge_token=await self.challenge_after_waiting(factory, "not this one")
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        challenge = await self.challenge_after_waiting(factory, self.owner.password)
        await factory.rpc.UseBackupCode(challenge_token=challenge, backup_code=self.owner.backup_code)


class PassFirstFactorAfterFailures(_AfterFailures):
    """A correct password after four failures opens a challenge and resets the count: four more failures cause no
    wait."""

    passes = (
        TransactionName.FIRST_FACTOR_CHARGED,
        TransactionName.FIRST_FACTOR_THROTTLE_CLEARED,
        TransactionName.SIGN_IN_STARTED,
    )

    async def call(self, factory: AccountFactory) -> Any:
        self.challenge = await self.challenge_after_waiting(factory, self.owner.password)
        return sign_in_service_pb2.StartSignInResponse(challenge_token=self.challenge)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await factory.rpc.UseBackupCode(challenge_token=self.challenge, backup_code=self.owner.backup_code)
        before = factory.clock.now
        for _ in range(4):
            await self._fail(factory)
        assert factory.clock.now == before, "no call was throttled"
