"""A session that changes its own account: locked, read again, and live."""

from dataclasses import dataclass
from datetime import datetime

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import SecondFactor
from twofactor_server.domain.sessions import Session, SessionLimits
from twofactor_server.storage import second_factors, sessions
from twofactor_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Owner:
    """Who asks, as it was under the locks."""

    factor: SecondFactor
    session: Session


async def lock_owner(tx: Transaction, token: Token, now: datetime, limits: SessionLimits) -> Owner:
    """The account's second factor and the session, locked in that order, then read; not live: SESSION_ENDED."""
    factor = await second_factors.lock(tx, token.account_id)
    session = await sessions.lock(tx, token.account_id, token.digest) if factor else None
    if factor is None or session is None:
        raise Refusal(Reason.SESSION_ENDED)
    session.check_live(now, limits)
    return Owner(factor, session)
