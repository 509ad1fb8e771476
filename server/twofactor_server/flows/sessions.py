"""Sessions: looked at, listed, and ended, by themselves or by another of their owner's."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from twofactor_server.crypto.tokens import TokenKind, parse_token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.sessions import Session
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.ownership import lock_owner
from twofactor_server.flows.steps import Step
from twofactor_server.storage import replies, second_factors, sessions
from twofactor_server.storage.database import Transaction

_TOUCHES_PER_IDLE_LIFE = 3600
"""A session used all the time is written once in so many parts of the idle life (1 s of 1 h), not at each look; a
remembered one as often, for its owner reads in the list when it was last active."""


@dataclass(frozen=True, slots=True)
class SessionList:
    """The live sessions, the newest first, and which of them is the one that asks."""

    sessions: Sequence[Session]
    current: Session


class Sessions:
    """GetSession, SignOut, ListSessions, RevokeSession and RevokeOtherSessions."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def get(self, session_token: str) -> Session:
        """The live session; its idle clock starts anew."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        limits = self._deps.session_limits

        async def work(tx: Transaction) -> Session:
            now = self._deps.now()
            session = await sessions.find(tx, token.account_id, token.digest)
            if session is None:
                raise Refusal(Reason.SESSION_ENDED)
            session.check_live(now, limits)
            if now - session.last_active_time >= limits.idle / _TOUCHES_PER_IDLE_LIFE:
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

    async def list_live(self, session_token: str) -> SessionList:
        """The account's live sessions. Looking is no use of any of them: no idle clock starts anew."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        limits = self._deps.session_limits

        async def work(tx: Transaction) -> SessionList:
            now = self._deps.now()
            current = await sessions.find(tx, token.account_id, token.digest)
            if current is None:
                raise Refusal(Reason.SESSION_ENDED)
            current.check_live(now, limits)
            found = await sessions.not_over(tx, token.account_id, now)
            return SessionList([one for one in found if one.live(now, limits)], current)

        return await self._deps.database.read(work)

    async def revoke(self, call: Call, session_token: str, session_id: UUID) -> None:
        """End one of the account's sessions and erase its replies; unknown, or over already: nothing to do."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")

        async def work(tx: Transaction) -> None:
            now = self._deps.now()
            await lock_owner(tx, token, now, self._deps.session_limits)
            session = await sessions.by_id(tx, token.account_id, session_id)
            if session is None:
                return
            if await sessions.end(tx, session, now):
                await trail.record(tx, call, token.account_id, "revoke_session", trail.SUCCESS, now, session=session)
            await replies.erase_of_session(tx, token.account_id, session_id)

        await self._deps.transact(call, Step.SESSION_REVOKED, work)

    async def revoke_others(self, call: Call, session_token: str, *, including_this: bool) -> None:
        """End every session of the account but this one, or all, and erase their replies."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")

        async def work(tx: Transaction) -> None:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            ended = await end_others(tx, token.account_id, None if including_this else owner.session.session_id, now)
            if ended:
                await trail.record(
                    tx, call, token.account_id, "revoke_other_sessions", trail.SUCCESS, now, session=owner.session,
                    ended=ended,
                )  # fmt: skip

        await self._deps.transact(call, Step.OTHER_SESSIONS_REVOKED, work)


async def end_others(tx: Transaction, account_id: UUID, keep: UUID | None, now: datetime) -> int:
    """End every session of the account but ``keep`` (None: all) and erase their replies; how many it ended."""
    ended = await sessions.end_others(tx, account_id, keep, now)
    await replies.erase_of_sessions(tx, account_id, ended)
    return len(ended)
