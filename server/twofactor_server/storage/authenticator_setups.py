"""Authenticator setups that wait for their first code. Under the second factor's lock."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from twofactor_server.domain.authenticator import AuthenticatorSetup
from twofactor_server.domain.limits import ATTEMPTS_PER_SETUP
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import authenticator_setups
from twofactor_server.storage.statements import Statement, insert_row, param, values_of

_t = authenticator_setups.c
_this = (_t.account_id == param("account_id"), _t.setup_id == param("setup_id"))
# An ended setup does not need its secret any more.
_ended: dict[str, Any] = {"end_time": param("end_time"), "totp_secret": None}

_FIND = Statement(
    select(_t.setup_id, _t.session_id, _t.totp_secret, _t.attempts, _t.expire_time, _t.end_time).where(
        *_this, _t.totp_secret.is_not(None)
    )
)
_INSERT = Statement(insert_row(authenticator_setups))
_CHARGE = Statement(
    update(authenticator_setups)
    .where(*_this, _t.end_time.is_(None), _t.attempts < ATTEMPTS_PER_SETUP)
    .values(attempts=_t.attempts + 1)
    .returning(_t.attempts)
)
_END = Statement(update(authenticator_setups).where(*_this, _t.end_time.is_(None)).values(_ended))
_END_ALL = Statement(
    update(authenticator_setups).where(_t.account_id == param("account_id"), _t.end_time.is_(None)).values(_ended)
)


async def create(tx: Transaction, account_id: UUID, setup: AuthenticatorSetup, now: datetime) -> None:
    """Write the setup and end the one that was open."""
    await end_all(tx, account_id, now)
    await tx.execute(_INSERT, account_id=account_id, create_time=now, **values_of(setup))


async def find(tx: Transaction, account_id: UUID, setup_id: UUID) -> AuthenticatorSetup | None:
    """The account's setup; None if it does not exist or has ended."""
    row = await tx.fetch_row(_FIND, account_id=account_id, setup_id=setup_id)
    return AuthenticatorSetup(*row) if row else None


async def charge_attempt(tx: Transaction, account_id: UUID, setup_id: UUID) -> int | None:
    """Charge a wrong code and return the number of attempts left; None if the setup accepts no more."""
    attempts = await tx.fetch_value(_CHARGE, account_id=account_id, setup_id=setup_id)
    return None if attempts is None else ATTEMPTS_PER_SETUP - attempts


async def end(tx: Transaction, account_id: UUID, setup_id: UUID, now: datetime) -> bool:
    """End the setup and erase its secret; False if it was not open."""
    return await tx.execute(_END, account_id=account_id, setup_id=setup_id, end_time=now) == 1


async def end_all(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """End the account's open setup, if there is one, and erase its secret."""
    await tx.execute(_END_ALL, account_id=account_id, end_time=now)
