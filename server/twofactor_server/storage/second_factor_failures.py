"""Wrong second factors after a right first factor, one row for each. Under the second factor's lock."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select

from twofactor_server.domain.challenges import Challenge
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import second_factor_failures
from twofactor_server.storage.statements import Statement, insert_row, param

_t = second_factor_failures.c
_INSERT = Statement(insert_row(second_factor_failures))
_COUNT = Statement(
    select(func.count())
    .select_from(second_factor_failures)
    .where(_t.account_id == param("account_id"), _t.time > param("since"))
)
_CLEAR = Statement(delete(second_factor_failures).where(_t.account_id == param("account_id")))


async def record(tx: Transaction, challenge: Challenge, now: datetime) -> None:
    """Record that a second factor was wrong on this challenge."""
    await tx.execute(
        _INSERT,
        account_id=challenge.account_id,
        failure_id=uuid4(),
        challenge_id=challenge.challenge_id,
        time=now,
    )


async def count_since(tx: Transaction, account_id: UUID, since: datetime) -> int:
    """The number of the account's failures after ``since``."""
    count: int = await tx.fetch_value(_COUNT, account_id=account_id, since=since)
    return count


async def clear(tx: Transaction, account_id: UUID) -> None:
    """Delete the account's failures."""
    await tx.execute(_CLEAR, account_id=account_id)
