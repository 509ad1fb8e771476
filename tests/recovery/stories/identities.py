"""Stories of provider identities.

An authorization code is spent by its first exchange. A call that fails between the exchange and its commit cannot
be retried with the same code: the provider refuses it, and the user signs in there again, which is another logical
call.
"""

from typing import Any
from uuid import uuid4

from tests.recovery.stories.story import Story
from tests.support.factories import AccountFactory
from tests.support.identity_steps import (
    create_account_by,
    link_identity,
    list_identities,
    new_subject,
    start_sign_in_by,
    unlink_identity,
)
from tests.support.rpc import Refused
from twofactor.v1 import sign_in_service_pb2, types_pb2
from twofactor_server.flows.transactions import TransactionName


class IdentityStory(Story):
    """``credential`` is the sign-in at the provider that the call contains."""

    credential: types_pb2.OidcCredential

    async def prepare(self, factory: AccountFactory) -> None:
        self._subject = new_subject()
        await self.prepare_account(factory)
        self.sign_in_at_provider(factory)

    async def prepare_account(self, factory: AccountFactory) -> None:
        """Create the initial state except for the sign-in at the provider."""

    def sign_in_at_provider(self, factory: AccountFactory) -> None:
        """Sign in at the provider, for another logical call."""
        self.credential, self.request_id = factory.openid.signed_in(self._subject), str(uuid4())

    async def call(self, factory: AccountFactory) -> Any:
        try:
            return await self.once(factory)
        except Refused as error:
            if error.reason != "CREDENTIALS_MISMATCH":
                raise
        self.sign_in_at_provider(factory)
        return await self.once(factory)

    async def once(self, factory: AccountFactory) -> Any:
        """Make the call with the credential as it is."""
        raise NotImplementedError


class CreateAccountByIdentity(IdentityStory):
    """One account with the identity linked."""

    passes = (TransactionName.ACCOUNT_CREATED,)

    async def call(self, factory: AccountFactory) -> Any:
        try:
            return await super().call(factory)
        except Refused as error:
            if error.reason != "IDENTITY_TAKEN":
                raise
        # An earlier attempt, whose outcome is unknown, was still running when the user signed in there again.
        return (await factory.rpc.GetAccount(email=f"{self._subject}@provider.example")).account

    async def once(self, factory: AccountFactory) -> Any:
        return await create_account_by(factory, self.credential, self.request_id)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, types_pb2.Account)
        assert (await factory.rpc.GetAccount(account_id=last.account_id)).account == last
        assert list(last.linked_providers) == ["example"]
        await start_sign_in_by(factory, factory.openid.signed_in(self._subject))


class StartSignInByIdentity(IdentityStory):
    """A challenge of the identity's account."""

    passes = (TransactionName.SIGN_IN_STARTED,)
    repeats = 4

    async def prepare_account(self, factory: AccountFactory) -> None:
        self.owner.email = (await create_account_by(factory, factory.openid.signed_in(self._subject))).email

    async def once(self, factory: AccountFactory) -> Any:
        return await start_sign_in_by(factory, self.credential)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, sign_in_service_pb2.StartSignInResponse)
        assert last.challenge.state == types_pb2.CHALLENGE_STATE_OPEN


class LinkIdentity(IdentityStory):
    """One link, with one notice."""

    passes = (TransactionName.LINK_CHARGED, TransactionName.IDENTITY_LINKED)

    async def prepare_account(self, factory: AccountFactory) -> None:
        self.owner = await factory.signed_in_account()

    async def once(self, factory: AccountFactory) -> Any:
        return await link_identity(factory, self.owner, self.credential, request_id=self.request_id)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, types_pb2.Identity)
        assert await list_identities(factory, self.owner) == [last]
        await factory.mailbox.wait_for(self.owner.email, "identity-linked")
        assert len(factory.mailbox.to(self.owner.email, "identity-linked")) == 1


class FailLink(Story):
    """A code that the provider refuses is not a guess: after six attempts the session is live."""

    passes = (TransactionName.LINK_CHARGED, TransactionName.REAUTHENTICATION_CANCELLED)
    reason = "CREDENTIALS_MISMATCH"

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner = await factory.signed_in_account()
        self._credential = factory.openid.credential(factory.openid.grant(new_subject()), code_verifier="v" * 43)

    async def call(self, factory: AccountFactory) -> Any:
        return await link_identity(factory, self.owner, self._credential, request_id=self.request_id)

    async def check(self, factory: AccountFactory, last: Any) -> None:
        await self.check_session(factory, self.owner.session_token)
        await link_identity(factory, self.owner, factory.openid.signed_in(new_subject()))


class UnlinkIdentity(Story):
    """The identity is unlinked, with one notice, and can be linked elsewhere."""

    passes = (TransactionName.UNLINK_CHARGED, TransactionName.IDENTITY_UNLINKED)

    async def prepare(self, factory: AccountFactory) -> None:
        self.owner, self._subject = await factory.signed_in_account(), new_subject()
        identity = await link_identity(factory, self.owner, factory.openid.signed_in(self._subject))
        self._identity_id = identity.identity_id

    async def call(self, factory: AccountFactory) -> Any:
        await unlink_identity(factory, self.owner, self._identity_id)
        return (await factory.rpc.GetAccount(account_id=self.owner.account_id)).account

    async def check(self, factory: AccountFactory, last: Any) -> None:
        assert isinstance(last, types_pb2.Account)
        assert not last.linked_providers
        await factory.mailbox.wait_for(self.owner.email, "identity-unlinked")
        assert len(factory.mailbox.to(self.owner.email, "identity-unlinked")) == 1
        await create_account_by(factory, factory.openid.signed_in(self._subject))
