"""Sessions: looked at, and signed out of."""

from dataclasses import replace

from twofactor_server.crypto.tokens import TokenKind, parse_token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.sessions import Session
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.steps import Step
from twofactor_server.storage import replies, second_factors, sessions
from twofactor_server.storage.database import Transaction

_TOUCHES_PER_IDLE_LIFE = 3600
"""A session used all the time is written once in so many parts of its idle life (1 s of 1 h), not at each look."""


class Sessions:
    """GetSession and SignOut."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def get(self, session_token: str) -> Session:
        """The live session; its idle clock starts anew."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        idle = self._deps.session_limits.idle

        async def work(tx: Transaction) -> Session:
            now = self._deps.now()
            session = await sessions.find(tx, token.account_id, token.digest)
            if session is None:
                raise Refusal(Reason.SESSION_ENDED)
            session.check_live(now, idle)
            if now - session.last_active_time >= idle / _TOUCHES_PER_IDLE_LIFE:
                await sessions.touch(tx, session, now)
            return replace(session, last_active_time=now)

        return await self._deps.database.read(work)

    async def sign_out(self, call: Call, session_token: str) -> None:
        """End the session and erase its replies; one that is over or unknown is signed out of already."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")

        async def work(tx: Transaction) -> None:
            now = self._deps.now()
            await second_factors.lock(tx, token.account_id)
            session = await sessions.lock(tx, token.account_id, token.digest)
            if session is None:
                return
            if await sessions.end(tx, session, now):
                await trail.record(tx, call, token.account_id, "sign_out", trail.SUCCESS, now, session=session)
            await replies.erase_of_session(tx, token.account_id, session.session_id)

        await self._deps.transact(call, Step.SIGNED_OUT, work)
