"""The session that makes a change: locked, then read, and live."""

from dataclasses import dataclass

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import SecondFactor
from twofactor_server.domain.sessions import Session
from twofactor_server.flows.unit_of_work import UnitOfWork
from twofactor_server.storage import second_factors, sessions


@dataclass(frozen=True, slots=True)
class LockedSession:
    """A live session and its account's second factor, both locked until the transaction ends."""

    session: Session
    factor: SecondFactor


async def lock_session(uow: UnitOfWork, token: Token) -> LockedSession:
    """Lock the account's second factor, then the session, and read both. Not live: SESSION_ENDED."""
    factor = await second_factors.lock(uow.tx, token.account_id)
    session = await sessions.lock(uow.tx, token.account_id, token.digest) if factor else None
    if factor is None or session is None:
        raise Refusal(Reason.SESSION_ENDED)
    session.check_live(uow.now, uow.deps.session_limits)
    return LockedSession(session, factor)
