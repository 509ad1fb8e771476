"""Challenges: sign-ins that wait for their second factor."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update

from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.limits import ATTEMPTS_PER_CHALLENGE
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import challenges
from twofactor_server.storage.statements import Statement, insert_row, param, values_of

_t = challenges.c
_by_token: Select[*tuple[Any, ...]] = select(
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
    _t.account_id == param("account_id"),
    _t.token_digest == param("token_digest"),
    _t.caller == param("caller"),
)
_this = (_t.account_id == param("account_id"), _t.challenge_id == param("challenge_id"))
_open = (_t.complete_time.is_(None), _t.void_time.is_(None))
_void_open = update(challenges).where(_t.account_id == param("account_id"), *_open).values(void_time=param("void_time"))

_FIND = Statement(_by_token)
_LOCK = Statement(_by_token.with_for_update(key_share=True))
_INSERT = Statement(insert_row(challenges))
_CHARGE = Statement(
    update(challenges)
    .where(*_this, _t.attempts < ATTEMPTS_PER_CHALLENGE)
    .values(attempts=_t.attempts + 1)
    .returning(_t.attempts)
)
_COMPLETE = Statement(update(challenges).where(*_this, *_open).values(complete_time=param("complete_time")))
_VOID_OPEN = Statement(_void_open)
_VOID_OPEN_BY_FIRST_FACTOR = Statement(_void_open.where(_t.first_factor == param("first_factor")))


async def create(tx: Transaction, challenge: Challenge, token_digest: bytes) -> None:
    """Write the challenge."""
    await tx.execute(_INSERT, **values_of(challenge), token_digest=token_digest)


async def lock(tx: Transaction, account_id: UUID, digest: bytes, caller: str) -> Challenge | None:
    """Lock this caller's challenge, then read it; None if not found. The second factor must be locked before."""
    row = await tx.fetch_row(_LOCK, account_id=account_id, token_digest=digest, caller=caller)
    return Challenge(*row) if row else None


async def find(tx: Transaction, account_id: UUID, digest: bytes, caller: str) -> Challenge | None:
    """This caller's challenge without a lock: to be shown, not to be acted on. None if not found."""
    row = await tx.fetch_row(_FIND, account_id=account_id, token_digest=digest, caller=caller)
    return Challenge(*row) if row else None


async def charge_attempt(tx: Transaction, challenge: Challenge) -> int | None:
    """Charge one attempt and return the number of attempts left; None, with nothing charged, if none was left."""
    attempts = await tx.fetch_value(_CHARGE, account_id=challenge.account_id, challenge_id=challenge.challenge_id)
    return None if attempts is None else ATTEMPTS_PER_CHALLENGE - attempts


async def complete(tx: Transaction, challenge: Challenge, now: datetime) -> None:
    """Complete the challenge. A completed or void one: StaleState."""
    await tx.execute_one(
        _COMPLETE, account_id=challenge.account_id, challenge_id=challenge.challenge_id, complete_time=now
    )


async def void_open(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """Void every challenge of the account that is not completed.

    Expired ones, too: an attempt that was charged in time may still be verified.
    """
    await tx.execute(_VOID_OPEN, account_id=account_id, void_time=now)


async def void_open_by_first_factor(tx: Transaction, account_id: UUID, first_factor: str, now: datetime) -> None:
    """Void the account's challenges that are not completed and were started with this kind of first factor."""
    await tx.execute(_VOID_OPEN_BY_FIRST_FACTOR, account_id=account_id, first_factor=first_factor, void_time=now)
