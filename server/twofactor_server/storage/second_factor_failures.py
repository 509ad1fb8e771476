"""Right first factor, wrong second: a row for each, counted over a day. All of it under the second factor's lock."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import bindparam, delete, func, insert, select

from twofactor_server.domain.challenges import Challenge
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import second_factor_failures

_t = second_factor_failures.c
_INSERT = insert(second_factor_failures)
_COUNT = (
    select(func.count())
    .select_from(second_factor_failures)
    .where(_t.account_id == bindparam("id"), _t.time > bindparam("since"))
)
_CLEAR = delete(second_factor_failures).where(_t.account_id == bindparam("id"))


async def add(tx: Transaction, challenge: Challenge, now: datetime) -> None:
    """A second factor was wrong on this challenge."""
    await tx.execute(
        _INSERT,
        {
            "account_id": challenge.account_id,
            "failure_id": uuid4(),
            "challenge_id": challenge.challenge_id,
            "time": now,
        },
    )


async def count_since(tx: Transaction, account_id: UUID, since: datetime) -> int:
    """How many second factors of the account were wrong after ``since``."""
    return await tx.scalar(_COUNT, {"id": account_id, "since": since}) or 0


async def clear(tx: Transaction, account_id: UUID) -> None:
    """Forget the account's failures."""
    await tx.execute(_CLEAR, {"id": account_id})
