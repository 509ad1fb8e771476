"""Stories of providers' identities.

An authorization code is spent by its first exchange. A call that is struck after that and before its commit cannot be
repeated with it: the provider refuses, and the person signs in there once more, which is a logical call of its own.
"""

from uuid import uuid4

import grpc
from google.protobuf.message import Message

from tests.faults.stories.story import Story
from tests.people import People
from tests.providers.owners import account_of, create, link, linked, somebody, start, unlink
from tests.refusals import refusal
from twofactor.v1 import account_service_pb2, sign_in_service_pb2, types_pb2
from twofactor_server.flows.steps import Step


class OfIdentity(Story):
    """``credential`` is the sign-in at the provider that the call carries."""

    credential: types_pb2.OidcCredential

    async def prepare(self, people: People) -> None:
        self._who = somebody()
        await self.begin(people)
        self.sign_in_there(people)

    async def begin(self, people: People) -> None:
        """Bring about the state before, but for the sign-in at the provider."""

    def sign_in_there(self, people: People) -> None:
        """Sign in at the provider, for a call of its own."""
        self.credential, self.request_id = people.openid.signed_in(self._who), str(uuid4())

    async def call(self, people: People) -> Message:
        try:
            return await self.once(people)
        except grpc.aio.AioRpcError as error:
            if refusal(error).reason != "CREDENTIALS_MISMATCH":
                raise
        self.sign_in_there(people)
        return await self.once(people)

    async def once(self, people: People) -> Message:
        """Make the call with the credential as it is."""
        raise NotImplementedError


class CreateAccountByIdentity(OfIdentity):
    """One account, with the identity linked."""

    passes = (Step.ACCOUNT_CREATED,)

    async def call(self, people: People) -> Message:
        try:
            return await super().call(people)
        except grpc.aio.AioRpcError as error:
            if refusal(error).reason != "IDENTITY_TAKEN":
                raise
        # An attempt whose end nobody waited for was still under way when the person signed in there once more.
        request = account_service_pb2.GetAccountRequest(email=f"{self._who}@provider.example")
        return (await people.stubs.accounts.GetAccount(request)).account

    async def once(self, people: People) -> Message:
        return await create(people, self.credential, self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, types_pb2.Account)
        assert await account_of(people, last.account_id) == last
        assert list(last.linked_providers) == ["example"]
        await start(people, people.openid.signed_in(self._who))


class StartSignInByIdentity(OfIdentity):
    """A challenge of the identity's account."""

    passes = (Step.SIGN_IN_STARTED,)
    repeats = 4

    async def begin(self, people: People) -> None:
        self.person.email = (await create(people, people.openid.signed_in(self._who))).email

    async def once(self, people: People) -> Message:
        return await start(people, self.credential)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, sign_in_service_pb2.StartSignInResponse)
        assert last.challenge.state == types_pb2.CHALLENGE_STATE_OPEN


class LinkIdentity(OfIdentity):
    """One link, told once."""

    passes = (Step.LINK_CHARGED, Step.IDENTITY_LINKED)

    async def begin(self, people: People) -> None:
        self.person = await people.signed_in()

    async def once(self, people: People) -> Message:
        return await link(people, self.person, self.credential, request_id=self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, types_pb2.Identity)
        assert await linked(people, self.person) == [last]
        await people.mailbox.wait_for(self.person.email, "identity-linked")
        assert len(people.mailbox.to(self.person.email, "identity-linked")) == 1


class FailLink(Story):
    """A code that the provider refuses is no guess at the account: tried six times, the session lives."""

    passes = (Step.LINK_CHARGED, Step.REAUTHENTICATION_WITHDRAWN)
    refused = "CREDENTIALS_MISMATCH"

    async def prepare(self, people: People) -> None:
        self.person = await people.signed_in()
        self._credential = people.openid.credential(people.openid.grant(somebody()), code_verifier="v" * 43)

    async def call(self, people: People) -> Message:
        return await link(people, self.person, self._credential, request_id=self.request_id)

    async def check(self, people: People, last: Message | None) -> None:
        await self.session_lives(people, self.person.session_token)
        await link(people, self.person, people.openid.signed_in(somebody()))


class UnlinkIdentity(Story):
    """The link is gone, told once, and the identity free."""

    passes = (Step.UNLINK_CHARGED, Step.IDENTITY_UNLINKED)

    async def prepare(self, people: People) -> None:
        self.person, self._who = await people.signed_in(), somebody()
        self._identity_id = (await link(people, self.person, people.openid.signed_in(self._who))).identity_id

    async def call(self, people: People) -> Message:
        await unlink(people, self.person, self._identity_id)
        return await account_of(people, self.person.account_id)

    async def check(self, people: People, last: Message | None) -> None:
        assert isinstance(last, types_pb2.Account)
        assert not last.linked_providers
        await people.mailbox.wait_for(self.person.email, "identity-unlinked")
        assert len(people.mailbox.to(self.person.email, "identity-unlinked")) == 1
        await create(people, people.openid.signed_in(self._who))
