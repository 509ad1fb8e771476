"""Spent backup codes, and the attempts to use one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from twofactor_server.domain.backup_codes import BUDGET_SPAN
from twofactor_server.domain.challenges import Challenge
from twofactor_server.storage.database import UNIQUE_VIOLATION, Transaction, sqlstate
from twofactor_server.storage.schema import backup_code_attempts, spent_backup_codes


class AttemptVerdict(StrEnum):
    """PENDING: charged, not judged yet, or judged by a server that died."""

    PENDING = "pending"
    WRONG = "wrong"
    USED = "used"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One code on one challenge. ``fingerprint`` is the one it was first charged under."""

    fingerprint: bytes
    verdict: AttemptVerdict
    rejudgements: int


class GenerationSpentTwice(Exception):
    """The primary key refused to spend a generation again: the lock failed. The transaction rolls back."""


_a = backup_code_attempts.c
_s = spent_backup_codes.c
_THIS_CODE: tuple[Any, ...] = (
    _a.account_id == bindparam("id"),
    _a.challenge_id == bindparam("challenge"),
    _a.fingerprint.in_(bindparam("fingerprints", expanding=True)),
)
_FIND = select(_a.fingerprint, _a.verdict, _a.rejudgements).where(*_THIS_CODE)
_INSERT = insert(backup_code_attempts)
_REJUDGE = update(backup_code_attempts).where(*_THIS_CODE).values(rejudgements=_a.rejudgements + 1)
_SETTLE = (
    update(backup_code_attempts)
    .where(*_THIS_CODE, _a.verdict == AttemptVerdict.PENDING)
    .values(verdict=bindparam("new_verdict"))
)
_first = func.min(_a.create_time)
_COUNTED = (
    select(_a.network_prefix, _a.fingerprint, _first)
    .where(
        _a.account_id == bindparam("id"),
        _a.create_time > bindparam("since"),
        _a.verdict.in_((AttemptVerdict.PENDING, AttemptVerdict.WRONG)),
    )
    .group_by(_a.network_prefix, _a.fingerprint)
    .order_by(_first)
)
_SPENT_AT = (
    select(_s.spend_time)
    .where(_s.account_id == bindparam("id"), _s.fingerprint.in_(bindparam("fingerprints", expanding=True)))
    .order_by(_s.generation.desc())
    .limit(1)
)
_GENERATION_SPENT_AT = select(_s.spend_time).where(
    _s.account_id == bindparam("id"), _s.generation == bindparam("spent_generation")
)
_SPEND = insert(spent_backup_codes)


async def find_attempt(tx: Transaction, challenge: Challenge, fingerprints: Sequence[bytes]) -> Attempt | None:
    """This code's attempt on this challenge, under whichever key it was charged; None if it is new here."""
    row = (await tx.execute(_FIND, _key(challenge, fingerprints))).first()
    return Attempt(row[0], AttemptVerdict(row[1]), row[2]) if row else None


async def add_attempt(
    tx: Transaction,
    challenge: Challenge,
    fingerprint: bytes,
    verdict: AttemptVerdict,
    network_prefix: str,
    now: datetime,
) -> None:
    """Record the charged attempt."""
    await tx.execute(
        _INSERT,
        {
            "account_id": challenge.account_id,
            "challenge_id": challenge.challenge_id,
            "fingerprint": fingerprint,
            "verdict": verdict,
            "network_prefix": network_prefix,
            "create_time": now,
        },
    )


async def count_rejudgement(tx: Transaction, challenge: Challenge, attempt: Attempt) -> None:
    """The pending attempt is judged once more."""
    await tx.execute(_REJUDGE, _key(challenge, [attempt.fingerprint]))


async def settle(tx: Transaction, challenge: Challenge, fingerprints: Sequence[bytes], verdict: AttemptVerdict) -> bool:
    """Give the pending attempt its verdict; False if another call did. A settled attempt never changes again."""
    result = await tx.execute(_SETTLE, _key(challenge, fingerprints) | {"new_verdict": verdict})
    return result.rowcount == 1


async def counted_codes(
    tx: Transaction, account_id: UUID, network_prefix: str, now: datetime
) -> tuple[list[datetime], list[datetime]]:
    """When each distinct code, pending or wrong within the hour, was first tried, oldest first: on the account, and
    from this network prefix."""
    rows = (await tx.execute(_COUNTED, {"id": account_id, "since": now - BUDGET_SPAN})).all()
    firsts: dict[bytes, datetime] = {}
    for _, fingerprint, first in rows:
        firsts.setdefault(fingerprint, first)
    return list(firsts.values()), [first for prefix, _, first in rows if prefix == network_prefix]


async def spent_at(tx: Transaction, account_id: UUID, fingerprints: Sequence[bytes]) -> datetime | None:
    """When the code was used; None if it is none of the account's used codes."""
    moment: datetime | None = await tx.scalar(_SPENT_AT, {"id": account_id, "fingerprints": fingerprints})
    return moment


async def generation_spent_at(tx: Transaction, account_id: UUID, generation: int) -> datetime | None:
    """When the generation was used; None if it never was (it may have been replaced or removed)."""
    moment: datetime | None = await tx.scalar(_GENERATION_SPENT_AT, {"id": account_id, "spent_generation": generation})
    return moment


async def spend(tx: Transaction, account_id: UUID, generation: int, fingerprint: bytes, now: datetime) -> None:
    """Spend the generation. At most one caller ever succeeds; any other: GenerationSpentTwice."""
    try:
        await tx.execute(
            _SPEND,
            {
                "account_id": account_id,
                "generation": generation,
                "fingerprint": fingerprint,
                "spend_time": now,
            },
        )
    except IntegrityError as error:
        if sqlstate(error) == UNIQUE_VIOLATION:
            raise GenerationSpentTwice from error
        raise


def _key(challenge: Challenge, fingerprints: Sequence[bytes]) -> dict[str, Any]:
    return {
        "id": challenge.account_id,
        "challenge": challenge.challenge_id,
        "fingerprints": list(fingerprints),
    }
