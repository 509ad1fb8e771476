"""Challenges: a sign-in that waits for its second factor."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, bindparam, insert, select, update

from twofactor_server.domain.challenges import ATTEMPTS, Challenge
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import challenges
from twofactor_server.storage.second_factors import GuardMissed

_t = challenges.c
_FIND: Select[*tuple[Any, ...]] = select(
    _t.account_id,
    _t.challenge_id,
    _t.caller,
    _t.email,
    _t.first_factor,
    _t.password_version,
    _t.remember_me,
    _t.attempts,
    _t.create_time,
    _t.expire_time,
    _t.complete_time,
    _t.void_time,
).where(
    _t.account_id == bindparam("id"),
    _t.token_digest == bindparam("digest"),
    _t.caller == bindparam("asking"),
)
_LOCK = _FIND.with_for_update(key_share=True)
_INSERT = insert(challenges)
_CHARGE = (
    update(challenges)
    .where(_t.account_id == bindparam("id"), _t.challenge_id == bindparam("challenge"), _t.attempts < ATTEMPTS)
    .values(attempts=_t.attempts + 1)
    .returning(_t.attempts)
)
_COMPLETE = (
    update(challenges)
    .where(
        _t.account_id == bindparam("id"),
        _t.challenge_id == bindparam("challenge"),
        _t.complete_time.is_(None),
        _t.void_time.is_(None),
    )
    .values(complete_time=bindparam("now"))
)
_VOID_OPEN = (
    update(challenges)
    .where(_t.account_id == bindparam("id"), _t.complete_time.is_(None), _t.void_time.is_(None))
    .values(void_time=bindparam("now"))
)
_VOID_BEGUN_BY = (
    update(challenges)
    .where(
        _t.account_id == bindparam("id"),
        _t.first_factor == bindparam("begun_by"),
        _t.complete_time.is_(None),
        _t.void_time.is_(None),
    )
    .values(void_time=bindparam("now"))
)


async def create(tx: Transaction, challenge: Challenge, token_digest: bytes) -> None:
    """Write a fresh challenge."""
    await tx.execute(
        _INSERT,
        {
            "account_id": challenge.account_id,
            "challenge_id": challenge.challenge_id,
            "token_digest": token_digest,
            "caller": challenge.caller,
            "email": challenge.email,
            "first_factor": challenge.first_factor,
            "password_version": challenge.password_version,
            "remember_me": challenge.remember_me,
            "create_time": challenge.create_time,
            "expire_time": challenge.expire_time,
        },
    )


async def lock(tx: Transaction, account_id: UUID, digest: bytes, caller: str) -> Challenge | None:
    """Lock this caller's challenge, then read it; None if there is none. The second factor is locked before."""
    row = (await tx.execute(_LOCK, {"id": account_id, "digest": digest, "asking": caller})).one_or_none()
    return Challenge(*row) if row else None


async def find(tx: Transaction, account_id: UUID, digest: bytes, caller: str) -> Challenge | None:
    """This caller's challenge as it is now, without a lock: to be shown, never to be acted on."""
    row = (await tx.execute(_FIND, {"id": account_id, "digest": digest, "asking": caller})).one_or_none()
    return Challenge(*row) if row else None


async def charge_attempt(tx: Transaction, challenge: Challenge) -> int | None:
    """Charge one attempt and return how many are left; None, and nothing charged, if there was none left."""
    charged = await tx.scalar(_CHARGE, {"id": challenge.account_id, "challenge": challenge.challenge_id})
    return None if charged is None else ATTEMPTS - charged


async def complete(tx: Transaction, challenge: Challenge, now: datetime) -> None:
    """The challenge is completed, once; a completed or voided one raises GuardMissed."""
    result = await tx.execute(_COMPLETE, {"id": challenge.account_id, "challenge": challenge.challenge_id, "now": now})
    if result.rowcount != 1:
        raise GuardMissed


async def void_open(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """Void every challenge of the account that is not completed. Also those whose time is up: an attempt that was
    charged in time may still be under way."""
    await tx.execute(_VOID_OPEN, {"id": account_id, "now": now})


async def void_begun_by(tx: Transaction, account_id: UUID, first_factor: str, now: datetime) -> None:
    """Make the account's open challenges void that this kind of first factor began."""
    await tx.execute(_VOID_BEGUN_BY, {"id": account_id, "begun_by": first_factor, "now": now})
