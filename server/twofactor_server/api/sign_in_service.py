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
