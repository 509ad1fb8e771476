"""SignInService."""

from typing import Any

from twofactor.v1 import sign_in_service_pb2 as pb
from twofactor.v1 import sign_in_service_pb2_grpc
from twofactor_server.api import calls, credentials, fields, messages
from twofactor_server.flows.challenges import Challenges
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.sessions import Sessions
from twofactor_server.flows.sign_in import SignIn


class SignInService(sign_in_service_pb2_grpc.SignInServiceServicer):
    """The first factor, the challenge and the session."""

    def __init__(self, deps: Dependencies) -> None:
        self._sign_in = SignIn(deps)
        self._challenges = Challenges(deps)
        self._sessions = Sessions(deps)

    async def StartSignIn(self, request: pb.StartSignInRequest, context: Any) -> pb.StartSignInResponse:
        given = credentials.first_factor(request)
        started = await self._sign_in.start(calls.current(request), given, remember_me=request.remember_me)
        return pb.StartSignInResponse(
            challenge_token=started.challenge_token, challenge=messages.challenge(started.challenge)
        )

    async def GetChallenge(self, request: pb.GetChallengeRequest, context: Any) -> pb.GetChallengeResponse:
        token = fields.required(request.challenge_token, "challenge_token")
        return pb.GetChallengeResponse(challenge=messages.challenge(await self._challenges.get(calls.current(), token)))

    async def GetSession(self, request: pb.GetSessionRequest, context: Any) -> pb.GetSessionResponse:
        token = fields.required(request.session_token, "session_token")
        return pb.GetSessionResponse(session=messages.session(await self._sessions.get(token)))

    async def SignOut(self, request: pb.SignOutRequest, context: Any) -> pb.SignOutResponse:
        await self._sessions.sign_out(calls.current(), fields.required(request.session_token, "session_token"))
        return pb.SignOutResponse()

    async def ListSessions(self, request: pb.ListSessionsRequest, context: Any) -> pb.ListSessionsResponse:
        found = await self._sessions.list_live(fields.required(request.session_token, "session_token"))
        listed = [messages.session(one) for one in found.sessions]
        return pb.ListSessionsResponse(sessions=listed, current_session_id=str(found.current.session_id))

    async def RevokeSession(self, request: pb.RevokeSessionRequest, context: Any) -> pb.RevokeSessionResponse:
        token = fields.required(request.session_token, "session_token")
        session_id = fields.uuid(request.session_id, "session_id")
        await self._sessions.revoke(calls.current(request), token, session_id)
        return pb.RevokeSessionResponse()

    async def RevokeOtherSessions(
        self, request: pb.RevokeOtherSessionsRequest, context: Any
    ) -> pb.RevokeOtherSessionsResponse:
        token = fields.required(request.session_token, "session_token")
        including_this = request.including_this
        await self._sessions.revoke_others(calls.current(request), token, including_this=including_this)
        return pb.RevokeOtherSessionsResponse()
