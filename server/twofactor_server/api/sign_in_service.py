"""SignInService: the first factor, the challenge and the session."""

from typing import Any

from twofactor.v1 import sign_in_service_pb2 as pb
from twofactor.v1 import sign_in_service_pb2_grpc
from twofactor_server.api import fields, messages
from twofactor_server.api.credentials import CredentialReader
from twofactor_server.api.interceptors import current_call
from twofactor_server.domain.refusals import Reason
from twofactor_server.flows.challenge import Challenges
from twofactor_server.flows.sign_in.sessions import Sessions
from twofactor_server.flows.sign_in.start import SignIn
from twofactor_server.flows.unit_of_work import Dependencies


class SignInService(sign_in_service_pb2_grpc.SignInServiceServicer):
    def __init__(self, deps: Dependencies) -> None:
        self._credentials = CredentialReader(deps.providers)
        self._sign_in = SignIn(deps)
        self._challenges = Challenges(deps)
        self._sessions = Sessions(deps)

    async def StartSignIn(self, request: pb.StartSignInRequest, context: Any) -> pb.StartSignInResponse:
        given = self._credentials.first_factor(request)
        with fields.name_fields({Reason.INVALID_FIELD: "asserted.auth_time"}):
            started = await self._sign_in.start(current_call(request), given, remember_me=request.remember_me)
        return pb.StartSignInResponse(
            challenge_token=started.challenge_token, challenge=messages.challenge(started.challenge)
        )

    async def GetChallenge(self, request: pb.GetChallengeRequest, context: Any) -> pb.GetChallengeResponse:
        challenge = await self._challenges.get(current_call(), fields.challenge_token(request.challenge_token))
        return pb.GetChallengeResponse(challenge=messages.challenge(challenge))

    async def GetSession(self, request: pb.GetSessionRequest, context: Any) -> pb.GetSessionResponse:
        session = await self._sessions.get(fields.session_token(request.session_token))
        return pb.GetSessionResponse(session=messages.session(session))

    async def SignOut(self, request: pb.SignOutRequest, context: Any) -> pb.SignOutResponse:
        await self._sessions.sign_out(current_call(), fields.session_token(request.session_token))
        return pb.SignOutResponse()

    async def ListSessions(self, request: pb.ListSessionsRequest, context: Any) -> pb.ListSessionsResponse:
        found = await self._sessions.list_live(fields.session_token(request.session_token))
        sessions = [messages.session(session) for session in found.sessions]
        return pb.ListSessionsResponse(sessions=sessions, current_session_id=str(found.current.session_id))

    async def RevokeSession(self, request: pb.RevokeSessionRequest, context: Any) -> pb.RevokeSessionResponse:
        token = fields.session_token(request.session_token)
        session_id = fields.uuid(request.session_id, "session_id")
        await self._sessions.revoke(current_call(request), token, session_id)
        return pb.RevokeSessionResponse()

    async def RevokeOtherSessions(
        self, request: pb.RevokeOtherSessionsRequest, context: Any
    ) -> pb.RevokeOtherSessionsResponse:
        token = fields.session_token(request.session_token)
        await self._sessions.revoke_others(current_call(request), token, including_this=request.including_this)
        return pb.RevokeOtherSessionsResponse()
