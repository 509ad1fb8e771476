"""Erases what has expired and deletes old rows, but no row that another one still needs."""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, update

from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import (
    authenticator_setups,
    challenges,
    first_factor_failures,
    first_factor_totals,
    mailed_links,
    outbox,
    replies,
    second_factor_failures,
    sessions,
)
from twofactor_server.storage.statements import Statement, param

RETENTION = timedelta(days=30)
"""How long rows are kept after they expire. The audit log and spent codes are never deleted."""

_expired = param("now")
_ERASE = [
    Statement(clause)
    for clause in (
        update(replies).where(replies.c.expire_time <= _expired, replies.c.sealed.is_not(None)).values(sealed=None),
        update(authenticator_setups)
        .where(authenticator_setups.c.expire_time <= _expired, authenticator_setups.c.totp_secret.is_not(None))
        .values(end_time=authenticator_setups.c.expire_time, totp_secret=None),
        update(mailed_links)
        .where(mailed_links.c.expire_time <= _expired, mailed_links.c.totp_secret.is_not(None))
        .values(totp_secret=None),
    )
]
_old = param("before")
# A repeated call finds its reply through the challenge or the session, so these are deleted after their replies.
_has_challenge_reply = exists().where(
    replies.c.account_id == challenges.c.account_id, replies.c.scope_id == challenges.c.challenge_id
)
_has_session_reply = exists().where(
    replies.c.account_id == sessions.c.account_id, replies.c.session_id == sessions.c.session_id
)
_PURGE = [
    Statement(clause)
    for clause in (
        delete(replies).where(replies.c.expire_time <= _old),
        delete(authenticator_setups).where(authenticator_setups.c.expire_time <= _old),
        delete(challenges).where(challenges.c.expire_time <= _old, ~_has_challenge_reply),
        delete(sessions).where(sessions.c.expire_time <= _old, ~_has_session_reply),
        delete(mailed_links).where(mailed_links.c.expire_time <= _old),
        delete(first_factor_failures).where(first_factor_failures.c.last_time <= _old),
        delete(first_factor_totals).where(first_factor_totals.c.last_time <= _old),
        delete(second_factor_failures).where(second_factor_failures.c.time <= _old),
        delete(outbox).where(outbox.c.create_time <= _old, outbox.c.payload.is_(None)),
    )
]


async def erase_expired(tx: Transaction, now: datetime) -> None:
    """Erase the expired replies and secrets; the rows stay."""
    for statement in _ERASE:
        await tx.execute(statement, now=now)


async def purge(tx: Transaction, now: datetime) -> None:
    """Delete the rows that expired ``RETENTION`` ago."""
    for statement in _PURGE:
        await tx.execute(statement, before=now - RETENTION)
