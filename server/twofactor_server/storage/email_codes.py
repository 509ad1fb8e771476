"""E-mail codes of challenges."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.email_codes import EmailCode
from twofactor_server.domain.limits import EMAIL_CODES_PER_ACCOUNT
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import email_codes
from twofactor_server.storage.statements import Statement, insert_row, param, values_of

_t = email_codes.c
_INSERT = Statement(insert_row(email_codes))
_LIST = Statement(
    select(_t.number, _t.mac, _t.key_id, _t.create_time, _t.request_id)
    .where(_t.account_id == param("account_id"), _t.challenge_id == param("challenge_id"))
    .order_by(_t.number.desc())
)
_RECENT = Statement(
    select(_t.create_time, _t.network_prefix)
    .where(_t.account_id == param("account_id"), _t.create_time > param("since"))
    .order_by(_t.create_time)
)


async def create(tx: Transaction, challenge: Challenge, code: EmailCode, network_prefix: str) -> None:
    """Write the challenge's next code. Its number must be new: a second insert violates a constraint."""
    await tx.execute(
        _INSERT,
        account_id=challenge.account_id,
        challenge_id=challenge.challenge_id,
        network_prefix=network_prefix,
        **values_of(code),
    )


async def list_codes(tx: Transaction, challenge: Challenge) -> list[EmailCode]:
    """The challenge's codes, newest first."""
    rows = await tx.fetch_all(_LIST, account_id=challenge.account_id, challenge_id=challenge.challenge_id)
    return [EmailCode(*row) for row in rows]


async def recent_send_times(
    tx: Transaction, account_id: UUID, network_prefix: str, now: datetime
) -> tuple[list[datetime], list[datetime]]:
    """When the account's codes were sent within the budget's span, oldest first.

    The first list has all of them, the second those that were requested from ``network_prefix``.
    """
    rows = await tx.fetch_all(_RECENT, account_id=account_id, since=now - EMAIL_CODES_PER_ACCOUNT.span)
    return [time for time, _ in rows], [time for time, prefix in rows if prefix == network_prefix]
