"""Stories of the suspended first factor."""

import contextlib
from typing import Any

from tests.recovery.stories.story import Story
from tests.support.factories import AccountFactory
from tests.support.rpc import Refused
from tests.support.steps import FAILED, SUSPENDED, unlock_token, wrong_backup_codes
from twofactor_server.flows.transactions import TransactionName

NEW = "a password chosen by the owner"


class LastGuess(Story):
    """The twentieth wrong code is counted once however often it is sent; it suspends once, with one notice."""

    passes = (TransactionName.BACKUP_CODE_REFUSED,)
    reason = "CODE_MISMATCH"
    guesses = 19

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.account_with_authenticator()
        codes = wrong_backup_codes()
        for number in range(self.guesses):
            if number % 5 == 0:
                self.challenge = await factory.asserted_challenge_for(self.owner)
            with contextlib.suppress(Refused):
                await factory.rpc.UseBackupCode(challenge_token=self.challenge, backup_code=next(codes))

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.UseBackupCode(
            challenge_token=self.challenge, backup_code="abcd 1234 ef56 7890", request_id=self.request_id
        )

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await unlock_token(factory, self.owner)
        await factory.mailbox.wait_for(self.owner.email, FAILED, 15)
        assert len(factory.mailbox.to(self.owner.email, SUSPENDED)) == 1
        assert len(factory.mailbox.to(self.owner.email, FAILED)) == 15


class StartSuspended(LastGuess):
    """A correct first factor opens no challenge while it is suspended."""

    passes = (TransactionName.SIGN_IN_STARTED,)
    reason = "FIRST_FACTOR_SUSPENDED"
    guesses = 20

    async def call(self, factory: AccountFactory) -> Any:
        await factory.challenge_for(self.owner)
        raise AssertionError("it opened a challenge")


class ConfirmFirstFactor(LastGuess):
    """The link sets one password: it works, the old one does not, and the failures are reset."""

    passes = (TransactionName.ACCOUNT_UNLOCKED,)
    reason = ""
    guesses = 20

    async def prepare(self, factory: AccountFactory) -> None:
        await super().prepare(factory)
        self.code = await unlock_token(factory, self.owner)

    async def call(self, factory: AccountFactory) -> Any:
        return await factory.rpc.ConfirmFirstFactor(token=self.code, new_password=NEW)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        self.owner.password = NEW
        await self.check_backup_code(factory, self.owner.backup_code)
        await super().check(factory, last)
