"""An account that is closed: what is erased, and what is free for another. Under the second factor's lock."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, delete, select, update

from twofactor_server.storage import identities
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import account_emails, accounts, mailed_links, sessions
from twofactor_server.storage.second_factors import GuardMissed

_CLOSE = (
    update(accounts)
    .where(accounts.c.account_id == bindparam("id"), accounts.c.close_time.is_(None))
    .values(
        close_time=bindparam("now"),
        password_hash=None,
        # What was verified against the password before is not right any more.
        password_version=accounts.c.password_version + 1,
        suspend_time=None,
    )
)
_ERASE = tuple(delete(table).where(table.c.account_id == bindparam("id")) for table in (account_emails, mailed_links))
_ENDED_WITH_IT = (
    select(sessions.c.session_id)
    .join_from(sessions, accounts, accounts.c.account_id == sessions.c.account_id)
    .where(
        sessions.c.account_id == bindparam("id"),
        sessions.c.token_digest == bindparam("digest"),
        sessions.c.end_time == accounts.c.close_time,
    )
)


async def close(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """Close the account for good: no password, no identity, no address, no link is left of it. A closed one raises
    GuardMissed."""
    if (await tx.execute(_CLOSE, {"id": account_id, "now": now})).rowcount != 1:
        raise GuardMissed
    await identities.unlink_all(tx, account_id)
    for statement in _ERASE:
        await tx.execute(statement, {"id": account_id})


async def ended_with_it(tx: Transaction, account_id: UUID, digest: bytes) -> bool:
    """Whether this session lasted until its account was closed."""
    return await tx.scalar(_ENDED_WITH_IT, {"id": account_id, "digest": digest}) is not None
