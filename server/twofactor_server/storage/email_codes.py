"""E-mail codes of challenges, and the account's mails of the last hour."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.email_codes import BUDGET_SPAN, EmailCode
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import email_codes

_t = email_codes.c
_INSERT = insert(email_codes)
_OF_CHALLENGE = (
    select(_t.number, _t.mac, _t.key_id, _t.create_time, _t.request_id)
    .where(_t.account_id == bindparam("id"), _t.challenge_id == bindparam("challenge"))
    .order_by(_t.number.desc())
)
_RECENT = (
    select(_t.create_time, _t.network_prefix)
    .where(_t.account_id == bindparam("id"), _t.create_time > bindparam("since"))
    .order_by(_t.create_time)
)


async def add(tx: Transaction, challenge: Challenge, code: EmailCode, network_prefix: str) -> None:
    """Write the challenge's next code; from now on it is the newest one."""
    await tx.execute(
        _INSERT,
        {
            "account_id": challenge.account_id,
            "challenge_id": challenge.challenge_id,
            "number": code.number,
            "mac": code.mac,
            "key_id": code.key_id,
            "network_prefix": network_prefix,
            "request_id": code.request_id,
            "create_time": code.create_time,
        },
    )


async def of_challenge(tx: Transaction, challenge: Challenge) -> list[EmailCode]:
    """The challenge's codes, newest first."""
    rows = await tx.execute(_OF_CHALLENGE, {"id": challenge.account_id, "challenge": challenge.challenge_id})
    return [EmailCode(*row) for row in rows]


async def recent_sends(
    tx: Transaction, account_id: UUID, network_prefix: str, now: datetime
) -> tuple[list[datetime], list[datetime]]:
    """The times of the account's mails of the last hour, oldest first: all, and those asked for from this prefix."""
    rows = (await tx.execute(_RECENT, {"id": account_id, "since": now - BUDGET_SPAN})).all()
    return [time for time, _ in rows], [time for time, prefix in rows if prefix == network_prefix]
