"""Stories of sessions that are ended from another one."""

import grpc
import pytest
from google.protobuf.message import Message

from tests.faults.stories.story import Story
from tests.people import People
from tests.refusals import refusal
from twofactor.v1 import sign_in_service_pb2
from twofactor_server.flows.steps import Step


class RevokeSession(Story):
    """The other session is over, this one goes on."""

    passes = (Step.SESSION_REVOKED,)

    async def prepare(self, people: People) -> None:
        self.person = await people.with_authenticator()
        challenge = await people.challenge_for(self.person)
        used = await people.use_backup_code(challenge, self.person.backup_code)
        self._other, self._session_id = used.session_token, used.session.session_id

    async def call(self, people: People) -> Message:
        request = sign_in_service_pb2.RevokeSessionRequest(
            session_token=self.person.session_token, session_id=self._session_id, client=people.client
        )
        return await people.stubs.sign_in.RevokeSession(request)

    async def check(self, people: People, last: Message | None) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as ended:
            await people.session(self._other)
        assert refusal(ended.value).reason == "SESSION_ENDED"
        assert len(await people.sessions(self.person.session_token)) == 1


class RevokeOtherSessions(RevokeSession):
    """All the others at once."""

    passes = (Step.OTHER_SESSIONS_REVOKED,)

    async def call(self, people: People) -> Message:
        request = sign_in_service_pb2.RevokeOtherSessionsRequest(
            session_token=self.person.session_token, client=people.client
        )
        return await people.stubs.sign_in.RevokeOtherSessions(request)
