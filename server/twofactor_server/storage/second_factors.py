"""The account's second factor: one row, one lock.

``lock`` comes first in every transaction that changes any of it or acts on something verified without a lock, and
what it returns was read *after* the lock was had. Each change says which state it expects and looks at its row
count: with the lock held it cannot miss, and if it does, the transaction must not commit.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, Update, bindparam, exists, func, select, update

from twofactor_server.domain.second_factors import Counter, EarlierAuthenticator, Method, SecondFactor
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import replies, second_factors

_t = second_factors.c
_READ: Select[*tuple[Any, ...]] = select(
    _t.account_id,
    _t.method,
    _t.generation,
    _t.totp_secret,
    _t.last_step,
    _t.enable_time,
    _t.authenticator_disabled,
    _t.backup_code_hash,
    _t.backup_code_create_time,
    _t.saved_time,
    _t.email_code_failures,
    _t.email_code_wait_until,
    _t.authenticator_failures,
    _t.authenticator_wait_until,
).where(_t.account_id == bindparam("id"))
_FACTS = [str(column.key) for column in _READ.selected_columns][:-4]
# FOR NO KEY UPDATE, not FOR UPDATE: the latter would also block every foreign-key insert beside it.
_LOCK = _READ.with_for_update(key_share=True)

_SHOWN = exists().where(
    replies.c.account_id == _t.account_id,
    replies.c.generation == _t.generation,
    replies.c.sealed.is_not(None),
    replies.c.expire_time > bindparam("now"),
)
_READ_WITH_SHOWN = _READ.add_columns(_SHOWN)


def _guarded(*expected: Any) -> Update:
    return update(second_factors).where(_t.account_id == bindparam("id"), *expected)


_AT_GENERATION = _t.generation == bindparam("expected_generation")
_NEW_CODE = {
    "generation": _t.generation + 1,
    "backup_code_hash": bindparam("code_hash"),
    "backup_code_create_time": bindparam("now"),
    "saved_time": None,
}
_REPLACE_CODE = _guarded(_AT_GENERATION, _t.method == Method.AUTHENTICATOR).values(_NEW_CODE)
_TURN_ON = _guarded(_AT_GENERATION).values(
    {
        **_NEW_CODE,
        "method": Method.AUTHENTICATOR,
        "totp_secret": bindparam("secret"),
        "last_step": bindparam("step"),
        "enable_time": bindparam("now"),
        "authenticator_disabled": False,
        "authenticator_failures": 0,
        "authenticator_wait_until": None,
    }
)
_TURN_OFF = _guarded(_AT_GENERATION, _t.method == Method.AUTHENTICATOR).values(
    method=Method.EMAIL,
    totp_secret=None,
    last_step=None,
    enable_time=None,
    authenticator_disabled=False,
    authenticator_failures=0,
    authenticator_wait_until=None,
    backup_code_hash=None,
    backup_code_create_time=None,
    saved_time=None,
)
# No step that was accepted of any authenticator is accepted once more, and what was disabled stays so.
_RESTORE = _guarded(_AT_GENERATION).values(
    {
        **_NEW_CODE,
        "method": Method.AUTHENTICATOR,
        "totp_secret": bindparam("secret"),
        "last_step": func.greatest(_t.last_step, bindparam("step", type_=BigInteger())),
        "enable_time": bindparam("enabled"),
        "authenticator_disabled": bindparam("disabled"),
        "authenticator_failures": bindparam("failures"),
        "authenticator_wait_until": None,
    }
)
_ACCEPT_STEP = _guarded(
    _t.method == Method.AUTHENTICATOR, (_t.last_step.is_(None)) | (_t.last_step < bindparam("step"))
).values(last_step=bindparam("step"), authenticator_failures=0, authenticator_wait_until=None)
_SAVED = _guarded(_AT_GENERATION, _t.saved_time.is_(None)).values(saved_time=bindparam("now"))
_COUNT_AUTHENTICATOR = _guarded().values(
    authenticator_failures=bindparam("failures"),
    authenticator_wait_until=bindparam("wait_until"),
    authenticator_disabled=bindparam("disabled"),
)
_COUNT_EMAIL = _guarded().values(
    email_code_failures=bindparam("failures"), email_code_wait_until=bindparam("wait_until")
)


class GuardMissed(Exception):
    """A guarded change met another state than its lock had shown: the lock failed. The transaction rolls back."""


async def lock(tx: Transaction, account_id: UUID) -> SecondFactor | None:
    """Lock the row until the transaction ends, then read it; None if there is no such account."""
    row = (await tx.execute(_LOCK, {"id": account_id})).one_or_none()
    return _record(row) if row else None


async def read(tx: Transaction, account_id: UUID) -> SecondFactor | None:
    """The row as it is now, without a lock: to be shown, never to be acted on."""
    row = (await tx.execute(_READ, {"id": account_id})).one_or_none()
    return _record(row) if row else None


async def read_for_status(tx: Transaction, account_id: UUID, now: datetime) -> tuple[SecondFactor, bool] | None:
    """The row, and whether some reply still holds its backup code: one statement, so that they belong together."""
    row = (await tx.execute(_READ_WITH_SHOWN, {"id": account_id, "now": now})).one_or_none()
    return (_record(row[:-1]), row[-1]) if row else None


async def replace_backup_code(
    tx: Transaction, account_id: UUID, generation: int, code_hash: str, now: datetime
) -> None:
    """The code of ``generation`` gives way to the next generation's, which is not saved yet."""
    await _change(tx, _REPLACE_CODE, account_id, expected_generation=generation, code_hash=code_hash, now=now)


async def turn_on_authenticator(
    tx: Transaction,
    account_id: UUID,
    *,
    generation: int,
    secret: bytes,
    step: int,
    code_hash: str,
    now: datetime,
) -> None:
    """Secret and backup code change together; ``step``, which proved the secret, is spent; counters start anew."""
    await _change(
        tx,
        _TURN_ON,
        account_id,
        expected_generation=generation,
        secret=secret,
        step=step,
        code_hash=code_hash,
        now=now,
    )


async def turn_off_authenticator(tx: Transaction, account_id: UUID, generation: int) -> None:
    """Back to e-mail codes; the backup code dies, its generation number stays and is never given again."""
    await _change(tx, _TURN_OFF, account_id, expected_generation=generation)


async def restore_authenticator(
    tx: Transaction, account_id: UUID, *, generation: int, earlier: EarlierAuthenticator, code_hash: str, now: datetime
) -> None:
    """The earlier authenticator is back as it was, whatever is active now; its backup code is one of ``code_hash``."""
    await _change(
        tx,
        _RESTORE,
        account_id,
        expected_generation=generation,
        secret=earlier.totp_secret,
        step=earlier.last_step,
        enabled=earlier.enable_time,
        disabled=earlier.disabled,
        failures=earlier.failures,
        code_hash=code_hash,
        now=now,
    )


async def accept_step(tx: Transaction, account_id: UUID, step: int) -> None:
    """Spend ``step`` and every earlier one, and clear the authenticator's counter and wait."""
    await _change(tx, _ACCEPT_STEP, account_id, step=step)


async def mark_saved(tx: Transaction, account_id: UUID, generation: int, now: datetime) -> bool:
    """The owner saved the code of ``generation``; False if that was known already."""
    result = await tx.execute(_SAVED, {"id": account_id, "expected_generation": generation, "now": now})
    return result.rowcount == 1


async def count_authenticator(tx: Transaction, account_id: UUID, counter: Counter, *, disabled: bool) -> None:
    """Set the authenticator's counter and wait, and whether it is disabled."""
    await _change(
        tx,
        _COUNT_AUTHENTICATOR,
        account_id,
        failures=counter.failures,
        wait_until=counter.wait_until,
        disabled=disabled,
    )


async def count_email_codes(tx: Transaction, account_id: UUID, counter: Counter) -> None:
    """Set the counter and wait of e-mail codes."""
    await _change(tx, _COUNT_EMAIL, account_id, failures=counter.failures, wait_until=counter.wait_until)


async def _change(tx: Transaction, statement: Update, account_id: UUID, **values: Any) -> None:
    result = await tx.execute(statement, {"id": account_id, **values})
    if result.rowcount != 1:
        raise GuardMissed


def _record(row: Sequence[Any]) -> SecondFactor:
    *facts, email_failures, email_wait, authenticator_failures, authenticator_wait = row
    record: dict[str, Any] = dict(zip(_FACTS, facts, strict=True))
    return SecondFactor(
        **record | {"method": Method(record["method"])},
        email_codes=Counter(email_failures, email_wait),
        authenticator=Counter(authenticator_failures, authenticator_wait),
    )
