"""GetSession, SignOut, ListSessions, RevokeSession and RevokeOtherSessions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.sessions import Session
from twofactor_server.flows.access_revocation import end_sessions
from twofactor_server.flows.session_lock import lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies
from twofactor_server.storage import replies, second_factors, sessions

_WRITES_PER_IDLE_LIFETIME = 3600
"""The last activity of a session in constant use is written this often per idle lifetime (once a second for one hour),
not at each call."""


@dataclass(frozen=True, slots=True)
class SessionList:
    """The live sessions, newest first, and the one that asks."""

    sessions: Sequence[Session]
    current: Session


class Sessions:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def get(self, token: Token) -> Session:
        """The live session. The call counts as activity: its idle time starts again."""
        now, limits = self._deps.now(), self._deps.session_limits
        async with self._deps.database.reading() as tx:
            session = await sessions.find(tx, token.account_id, token.digest)
            if session is None:
                raise Refusal(Reason.SESSION_ENDED)
            session.check_live(now, limits)
            if now - session.last_active_time >= limits.idle / _WRITES_PER_IDLE_LIFETIME:
                await sessions.touch(tx, session, now)
        return replace(session, last_active_time=now)

    async def sign_out(self, call: Call, token: Token) -> None:
        """End the session and erase its replies. No effect on an unknown or ended session."""
        async with self._deps.unit_of_work(call, TransactionName.SIGNED_OUT) as uow:
            await second_factors.lock(uow.tx, token.account_id)
            session = await sessions.lock(uow.tx, token.account_id, token.digest)
            if session is None:
                return
            if await sessions.end(uow.tx, session, uow.now):
                await uow.audit(token.account_id, "sign_out", session=session)
            await replies.erase_for_session(uow.tx, token.account_id, session.session_id)

    async def list_live(self, token: Token) -> SessionList:
        """The account's live sessions. The call does not count as activity."""
        now, limits = self._deps.now(), self._deps.session_limits
        async with self._deps.database.reading() as tx:
            current = await sessions.find(tx, token.account_id, token.digest)
            if current is None:
                raise Refusal(Reason.SESSION_ENDED)
            current.check_live(now, limits)
            found = await sessions.list_unexpired(tx, token.account_id, now)
        return SessionList([session for session in found if session.live(now, limits)], current)

    async def revoke(self, call: Call, token: Token, session_id: UUID) -> None:
        """End one of the account's sessions and erase its replies. No effect on an unknown or ended session."""
        async with self._deps.unit_of_work(call, TransactionName.SESSION_REVOKED) as uow:
            await lock_session(uow, token)
            session = await sessions.find_by_id(uow.tx, token.account_id, session_id)
            if session is None:
                return
            if await sessions.end(uow.tx, session, uow.now):
                await uow.audit(token.account_id, "revoke_session", session=session)
            await replies.erase_for_session(uow.tx, token.account_id, session_id)

    async def revoke_others(self, call: Call, token: Token, *, including_this: bool) -> None:
        """End all sessions of the account but this one, or all, and erase their replies."""
        async with self._deps.unit_of_work(call, TransactionName.OTHER_SESSIONS_REVOKED) as uow:
            locked = await lock_session(uow, token)
            keep = None if including_this else locked.session.session_id
            ended = await end_sessions(uow, token.account_id, keep=keep)
            if ended:
                await uow.audit(token.account_id, "revoke_other_sessions", session=locked.session, ended=ended)
