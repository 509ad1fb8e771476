"""Spent backup codes, and the attempts to use one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, LargeBinary, any_, func, or_, select, update

from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.limits import BACKUP_CODES_PER_ACCOUNT
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import backup_code_attempts, spent_backup_codes
from twofactor_server.storage.statements import Statement, insert_row, param


class AttemptVerdict(StrEnum):
    """PENDING: charged, but not verified yet, or the server that was to verify it died."""

    PENDING = "pending"
    WRONG = "wrong"
    USED = "used"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One code on one challenge. ``fingerprint`` is the one under which it was first charged."""

    fingerprint: bytes
    verdict: AttemptVerdict
    reverifications: int


class GenerationAlreadySpent(Exception):
    """The primary key refused to spend a generation twice: the lock failed. The transaction rolls back."""


_a = backup_code_attempts.c
_s = spent_backup_codes.c
# A code has one fingerprint for each key of the keyring.
_fingerprints = any_(param("fingerprints", ARRAY(LargeBinary())))
_this_code = (
    _a.account_id == param("account_id"),
    _a.challenge_id == param("challenge_id"),
    _a.fingerprint == _fingerprints,
)
_first_time = func.min(_a.create_time)

_FIND = Statement(select(_a.fingerprint, _a.verdict, _a.reverifications).where(*_this_code))
_INSERT = Statement(insert_row(backup_code_attempts, omit=("reverifications",)))
_COUNT_REVERIFICATION = Statement(
    update(backup_code_attempts).where(*_this_code).values(reverifications=_a.reverifications + 1)
)
_FINALIZE = Statement(
    update(backup_code_attempts)
    .where(*_this_code, _a.verdict == AttemptVerdict.PENDING)
    .values(verdict=param("verdict"))
)
_RECENT = Statement(
    select(_a.network_prefix, _a.fingerprint, _first_time)
    .where(
        _a.account_id == param("account_id"),
        _a.create_time > param("since"),
        or_(_a.verdict == AttemptVerdict.PENDING, _a.verdict == AttemptVerdict.WRONG),
    )
    .group_by(_a.network_prefix, _a.fingerprint)
    .order_by(_first_time)
)
_FIND_SPEND_TIME = Statement(
    select(_s.spend_time)
    .where(_s.account_id == param("account_id"), _s.fingerprint == _fingerprints)
    .order_by(_s.generation.desc())
    .limit(1)
)
_FIND_GENERATION_SPEND_TIME = Statement(
    select(_s.spend_time).where(_s.account_id == param("account_id"), _s.generation == param("generation"))
)
_SPEND = Statement(insert_row(spent_backup_codes))


async def find_attempt(tx: Transaction, challenge: Challenge, fingerprints: Sequence[bytes]) -> Attempt | None:
    """The attempt with one of these fingerprints on the challenge; None if this code was not tried on it."""
    row = await tx.fetch_row(_FIND, **_key(challenge, fingerprints))
    return Attempt(row[0], AttemptVerdict(row[1]), row[2]) if row else None


async def add_attempt(
    tx: Transaction,
    challenge: Challenge,
    fingerprint: bytes,
    verdict: AttemptVerdict,
    network_prefix: str,
    now: datetime,
) -> None:
    """Record a charged attempt."""
    await tx.execute(
        _INSERT,
        account_id=challenge.account_id,
        challenge_id=challenge.challenge_id,
        fingerprint=fingerprint,
        verdict=verdict,
        network_prefix=network_prefix,
        create_time=now,
    )


async def count_reverification(tx: Transaction, challenge: Challenge, attempt: Attempt) -> None:
    """Count that the pending attempt is verified once more."""
    await tx.execute(_COUNT_REVERIFICATION, **_key(challenge, [attempt.fingerprint]))


async def finalize_attempt(
    tx: Transaction, challenge: Challenge, fingerprints: Sequence[bytes], verdict: AttemptVerdict
) -> bool:
    """Give the pending attempt its verdict, which never changes again; False if it has one already."""
    return await tx.execute(_FINALIZE, **_key(challenge, fingerprints), verdict=verdict) == 1


async def recent_attempt_times(
    tx: Transaction, account_id: UUID, network_prefix: str, now: datetime
) -> tuple[list[datetime], list[datetime]]:
    """When each distinct code that is pending or wrong was first tried within the budget's span, oldest first.

    The first list has the codes tried on the account from all networks, the second those from ``network_prefix``.
    """
    since = now - BACKUP_CODES_PER_ACCOUNT.span
    rows = await tx.fetch_all(_RECENT, account_id=account_id, since=since)
    first_times: dict[bytes, datetime] = {}
    for _, fingerprint, first_time in rows:
        first_times.setdefault(fingerprint, first_time)
    return list(first_times.values()), [first_time for prefix, _, first_time in rows if prefix == network_prefix]


async def find_spend_time(tx: Transaction, account_id: UUID, fingerprints: Sequence[bytes]) -> datetime | None:
    """When the code was used; None if it is not one of the account's used codes."""
    time: datetime | None = await tx.fetch_value(_FIND_SPEND_TIME, account_id=account_id, fingerprints=fingerprints)
    return time


async def find_generation_spend_time(tx: Transaction, account_id: UUID, generation: int) -> datetime | None:
    """When the code of this generation was used; None if it was not (it may have been replaced or removed)."""
    time: datetime | None = await tx.fetch_value(
        _FIND_GENERATION_SPEND_TIME, account_id=account_id, generation=generation
    )
    return time


async def spend(tx: Transaction, account_id: UUID, generation: int, fingerprint: bytes, now: datetime) -> None:
    """Spend the generation. At most one call ever succeeds; any other: GenerationAlreadySpent."""
    values = {"account_id": account_id, "generation": generation, "fingerprint": fingerprint, "spend_time": now}
    try:
        await tx.execute(_SPEND, **values)
    except asyncpg.UniqueViolationError as error:
        raise GenerationAlreadySpent from error


def _key(challenge: Challenge, fingerprints: Sequence[bytes]) -> dict[str, Any]:
    return {
        "account_id": challenge.account_id,
        "challenge_id": challenge.challenge_id,
        "fingerprints": fingerprints,
    }
