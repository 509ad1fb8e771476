"""The account's second factor: one row, and the lock of the account.

``lock`` comes first in every transaction that changes the account or acts on something that was verified without the
lock. It reads the row after it has the lock. Each change names the state that it expects: under the lock it cannot meet
another one, and if it does (StaleState), the transaction must not commit.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Select, Update, exists, func, select, update

from twofactor_server.domain.second_factors import Counter, EarlierAuthenticator, Method, SecondFactor
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import replies, second_factors
from twofactor_server.storage.statements import Statement, param

_t = second_factors.c
_read: Select[*tuple[Any, ...]] = select(
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
).where(_t.account_id == param("account_id"))
_code_is_in_a_reply = exists().where(
    replies.c.account_id == _t.account_id,
    replies.c.generation == _t.generation,
    replies.c.sealed.is_not(None),
    replies.c.expire_time > param("now"),
)

_READ = Statement(_read)
# FOR NO KEY UPDATE: FOR UPDATE would also block every insert with a foreign key to the account.
_LOCK = Statement(_read.with_for_update(key_share=True))
_READ_FOR_STATUS = Statement(_read.add_columns(_code_is_in_a_reply))


def _update(*expected: Any) -> Update:
    return update(second_factors).where(_t.account_id == param("account_id"), *expected)


_expected_generation = _t.generation == param("expected_generation")
_has_authenticator = _t.method == Method.AUTHENTICATOR
_new_backup_code: dict[str, Any] = {
    "generation": _t.generation + 1,
    "backup_code_hash": param("backup_code_hash"),
    "backup_code_create_time": param("backup_code_create_time"),
    "saved_time": None,
}
_new_authenticator: dict[str, Any] = {
    "method": Method.AUTHENTICATOR,
    "totp_secret": param("totp_secret"),
    "enable_time": param("enable_time"),
}
_no_authenticator_failures: dict[str, Any] = {"authenticator_failures": 0, "authenticator_wait_until": None}

_REPLACE_BACKUP_CODE = Statement(_update(_expected_generation, _has_authenticator).values(_new_backup_code))
_TURN_ON = Statement(
    _update(_expected_generation).values(
        {
            **_new_backup_code,
            **_new_authenticator,
            **_no_authenticator_failures,
            "last_step": param("last_step"),
            "authenticator_disabled": False,
        }
    )
)
_TURN_OFF = Statement(
    _update(_expected_generation, _has_authenticator).values(
        {
            **_no_authenticator_failures,
            "method": Method.EMAIL,
            "totp_secret": None,
            "last_step": None,
            "enable_time": None,
            "authenticator_disabled": False,
            "backup_code_hash": None,
            "backup_code_create_time": None,
            "saved_time": None,
        }
    )
)
# Restoring must not make a step acceptable again that was accepted from any authenticator, nor enable a disabled one.
_RESTORE = Statement(
    _update(_expected_generation).values(
        {
            **_new_backup_code,
            **_new_authenticator,
            "last_step": func.greatest(_t.last_step, param("last_step", BigInteger())),
            "authenticator_disabled": param("authenticator_disabled"),
            "authenticator_failures": param("authenticator_failures"),
            "authenticator_wait_until": None,
        }
    )
)
_ACCEPT_STEP = Statement(
    _update(_has_authenticator, _t.last_step.is_(None) | (_t.last_step < param("last_step"))).values(
        {**_no_authenticator_failures, "last_step": param("last_step")}
    )
)
_MARK_SAVED = Statement(_update(_expected_generation, _t.saved_time.is_(None)).values(saved_time=param("saved_time")))
_SET_AUTHENTICATOR_COUNTER = Statement(
    _update().values(
        authenticator_failures=param("authenticator_failures"),
        authenticator_wait_until=param("authenticator_wait_until"),
        authenticator_disabled=param("authenticator_disabled"),
    )
)
_SET_EMAIL_CODE_COUNTER = Statement(
    _update().values(
        email_code_failures=param("email_code_failures"),
        email_code_wait_until=param("email_code_wait_until"),
    )
)


async def lock(tx: Transaction, account_id: UUID) -> SecondFactor | None:
    """Lock the row until the transaction ends, then read it; None if there is no such account."""
    row = await tx.fetch_row(_LOCK, account_id=account_id)
    return _record(row) if row else None


async def read(tx: Transaction, account_id: UUID) -> SecondFactor | None:
    """The row without a lock: to be shown, not to be acted on. None if there is no such account."""
    row = await tx.fetch_row(_READ, account_id=account_id)
    return _record(row) if row else None


async def read_for_status(tx: Transaction, account_id: UUID, now: datetime) -> tuple[SecondFactor, bool] | None:
    """The row, and whether a reply still holds its backup code; both from the same snapshot."""
    row = await tx.fetch_row(_READ_FOR_STATUS, account_id=account_id, now=now)
    return (_record(row), row[-1]) if row else None


async def replace_backup_code(
    tx: Transaction, account_id: UUID, generation: int, code_hash: str, now: datetime
) -> None:
    """Replace the code of ``generation`` by that of the next one, which is not saved yet.

    Another generation, or an account without an authenticator: StaleState.
    """
    await tx.execute_one(
        _REPLACE_BACKUP_CODE,
        account_id=account_id,
        expected_generation=generation,
        backup_code_hash=code_hash,
        backup_code_create_time=now,
    )


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
    """Set the secret and the next generation's backup code together, and reset the counter.

    ``step``, whose code proved the secret, is spent. Another generation: StaleState.
    """
    await tx.execute_one(
        _TURN_ON,
        account_id=account_id,
        expected_generation=generation,
        totp_secret=secret,
        last_step=step,
        enable_time=now,
        backup_code_hash=code_hash,
        backup_code_create_time=now,
    )


async def turn_off_authenticator(tx: Transaction, account_id: UUID, generation: int) -> None:
    """Return to e-mail codes and delete the backup code. The generation stays, so that its number is not reused.

    Another generation, or an account without an authenticator: StaleState.
    """
    await tx.execute_one(_TURN_OFF, account_id=account_id, expected_generation=generation)


async def restore_authenticator(
    tx: Transaction, account_id: UUID, *, generation: int, earlier: EarlierAuthenticator, code_hash: str, now: datetime
) -> None:
    """Restore the earlier authenticator as it was, with the next generation's backup code.

    Its last step is the later of its own and the current one's. Another generation: StaleState.
    """
    await tx.execute_one(
        _RESTORE,
        account_id=account_id,
        expected_generation=generation,
        totp_secret=earlier.totp_secret,
        last_step=earlier.last_step,
        enable_time=earlier.enable_time,
        authenticator_disabled=earlier.disabled,
        authenticator_failures=earlier.failures,
        backup_code_hash=code_hash,
        backup_code_create_time=now,
    )


async def accept_step(tx: Transaction, account_id: UUID, step: int) -> None:
    """Spend ``step`` and every earlier one, and reset the authenticator's counter.

    A step that is spent already, or an account without an authenticator: StaleState.
    """
    await tx.execute_one(_ACCEPT_STEP, account_id=account_id, last_step=step)


async def mark_saved(tx: Transaction, account_id: UUID, generation: int, now: datetime) -> bool:
    """Record that the owner saved the code of ``generation``; False if it is not the current one or was saved."""
    values = {"account_id": account_id, "expected_generation": generation, "saved_time": now}
    return await tx.execute(_MARK_SAVED, **values) == 1


async def set_authenticator_counter(tx: Transaction, account_id: UUID, counter: Counter, *, disabled: bool) -> None:
    """Set the authenticator's counter, and whether it is disabled. An unknown account: StaleState."""
    await tx.execute_one(
        _SET_AUTHENTICATOR_COUNTER,
        account_id=account_id,
        authenticator_failures=counter.failures,
        authenticator_wait_until=counter.wait_until,
        authenticator_disabled=disabled,
    )


async def set_email_code_counter(tx: Transaction, account_id: UUID, counter: Counter) -> None:
    """Set the counter of e-mail codes. An unknown account: StaleState."""
    await tx.execute_one(
        _SET_EMAIL_CODE_COUNTER,
        account_id=account_id,
        email_code_failures=counter.failures,
        email_code_wait_until=counter.wait_until,
    )


def _record(row: Any) -> SecondFactor:
    account_id, method, *state = row[:10]
    counters = [Counter(*row[10:12]), Counter(*row[12:14])]
    return SecondFactor(*[account_id, Method(method), *state, *counters])
