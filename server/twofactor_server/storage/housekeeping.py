"""Erasing what is over. What a promise still needs stays: a challenge is not purged before its reply."""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, exists, update

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

KEPT = timedelta(days=30)
"""How long rows that are over are kept before they are purged; the audit trail and spent codes stay for good."""

_ERASE_REPLIES = (
    update(replies).where(replies.c.expire_time <= bindparam("now"), replies.c.sealed.is_not(None)).values(sealed=None)
)
_END_SETUPS = (
    update(authenticator_setups)
    .where(
        authenticator_setups.c.expire_time <= bindparam("now"),
        authenticator_setups.c.totp_secret.is_not(None),
    )
    .values(end_time=authenticator_setups.c.expire_time, totp_secret=None)
)
_FORGET_SECRETS = (
    update(mailed_links)
    .where(mailed_links.c.expire_time <= bindparam("now"), mailed_links.c.totp_secret.is_not(None))
    .values(totp_secret=None)
)
_PURGE = (
    delete(replies).where(replies.c.expire_time <= bindparam("past")),
    delete(authenticator_setups).where(authenticator_setups.c.expire_time <= bindparam("past")),
    delete(challenges).where(
        challenges.c.expire_time <= bindparam("past"),
        ~exists().where(
            replies.c.account_id == challenges.c.account_id, replies.c.scope_id == challenges.c.challenge_id
        ),
    ),
    delete(sessions).where(
        sessions.c.expire_time <= bindparam("past"),
        ~exists().where(replies.c.account_id == sessions.c.account_id, replies.c.session_id == sessions.c.session_id),
    ),
    delete(mailed_links).where(mailed_links.c.expire_time <= bindparam("past")),
    delete(first_factor_failures).where(first_factor_failures.c.last_time <= bindparam("past")),
    delete(first_factor_totals).where(first_factor_totals.c.last_time <= bindparam("past")),
    delete(second_factor_failures).where(second_factor_failures.c.time <= bindparam("past")),
    delete(outbox).where(outbox.c.create_time <= bindparam("past"), outbox.c.payload.is_(None)),
)


async def erase_expired(tx: Transaction, now: datetime) -> None:
    """Empty the replies and kept secrets whose time is over."""
    for statement in (_ERASE_REPLIES, _END_SETUPS, _FORGET_SECRETS):
        await tx.execute(statement, {"now": now})


async def purge(tx: Transaction, now: datetime) -> None:
    """Delete the rows that were over 30 days ago."""
    for statement in _PURGE:
        await tx.execute(statement, {"past": now - KEPT})
