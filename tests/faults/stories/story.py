"""A changing method as a story: a state before, one call that can be made again, and what must be true at the end.

Whatever fault strikes the call, it is then made again as a client would make it, with the same request_id, and the
end is judged through the contract: exactly one effect, one session, attempts charged once, one mail.
"""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import ClassVar
from uuid import uuid4

import grpc
from google.protobuf.message import Message

from tests.people import People, Person
from tests.refusals import refusal
from twofactor.v1 import sign_in_service_pb2
from twofactor_server.flows.steps import Step


@dataclass
class Story:
    """One changing method on one account.

    ``passes`` are the committed steps that its call passes, in order; ``refused`` is the reason that it ends in, ""
    for success; ``repeats`` is how often the call may be made again before a budget of mails is spent.
    """

    passes: ClassVar[tuple[Step, ...]] = ()
    refused: ClassVar[str] = ""
    repeats: ClassVar[int] = 100
    person: Person = field(default_factory=lambda: Person("", ""))
    request_id: str = field(default_factory=lambda: str(uuid4()))
    challenge: str = ""
    code: str = ""

    async def prepare(self, people: People) -> None:
        """Bring about the state before."""
        raise NotImplementedError

    async def call(self, people: People) -> Message:
        """Make the call; each time the same logical call."""
        raise NotImplementedError

    async def check(self, people: People, last: Message | None) -> None:
        """Judge the end, after the call was answered with ``last`` (None where it is refused)."""

    async def attempts_left(self, people: People) -> int:
        """Of the story's challenge."""
        request = sign_in_service_pb2.GetChallengeRequest(challenge_token=self.challenge)
        return (await people.stubs.sign_in.GetChallenge(request)).challenge.attempts_left

    async def patient_challenge(self, people: People, password: str) -> str:
        """Sign in with this password. Whoever is told to wait waits, as a client would, and makes the call again."""
        while True:
            try:
                return await people.challenge_for(replace(self.person, password=password))
            except grpc.aio.AioRpcError as error:
                said = refusal(error)
                if said.reason != "ATTEMPTS_THROTTLED":
                    raise
                people.clock.advance(timedelta(seconds=said.retry_after or 0))

    async def session_lives(self, people: People, token: str) -> None:
        """The token opens a live session."""
        await people.stubs.sign_in.GetSession(sign_in_service_pb2.GetSessionRequest(session_token=token))

    async def backup_code_works(self, people: People, code: str) -> None:
        """The code signs its owner in."""
        await people.use_backup_code(await people.challenge_for(self.person), code)
