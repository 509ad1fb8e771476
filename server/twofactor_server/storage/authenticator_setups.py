"""Authenticator setups that wait for their first code. All of it happens under the second factor's lock."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from twofactor_server.domain.authenticator import SETUP_ATTEMPTS, AuthenticatorSetup
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import authenticator_setups

_t = authenticator_setups.c
_THIS = (_t.account_id == bindparam("id"), _t.setup_id == bindparam("setup"))
_FIND = select(_t.setup_id, _t.session_id, _t.totp_secret, _t.attempts, _t.expire_time, _t.end_time).where(
    *_THIS, _t.totp_secret.is_not(None)
)
_INSERT = insert(authenticator_setups)
_CHARGE = (
    update(authenticator_setups)
    .where(*_THIS, _t.end_time.is_(None), _t.attempts < SETUP_ATTEMPTS)
    .values(attempts=_t.attempts + 1)
    .returning(_t.attempts)
)
# The secret is emptied with the end: an ended setup has no use for it.
_ENDED: dict[str, Any] = {"end_time": bindparam("now"), "totp_secret": None}
_END = update(authenticator_setups).where(*_THIS, _t.end_time.is_(None)).values(_ENDED)
_END_ALL = update(authenticator_setups).where(_t.account_id == bindparam("id"), _t.end_time.is_(None)).values(_ENDED)


async def create(tx: Transaction, account_id: UUID, setup: AuthenticatorSetup, now: datetime) -> None:
    """Write the setup; whatever setup was open before is ended."""
    await end_all(tx, account_id, now)
    await tx.execute(
        _INSERT,
        {
            "account_id": account_id,
            "setup_id": setup.setup_id,
            "session_id": setup.session_id,
            "totp_secret": setup.totp_secret,
            "create_time": now,
            "expire_time": setup.expire_time,
        },
    )


async def find(tx: Transaction, account_id: UUID, setup_id: UUID) -> AuthenticatorSetup | None:
    """The setup, as long as it was not ended; None otherwise."""
    row = (await tx.execute(_FIND, {"id": account_id, "setup": setup_id})).one_or_none()
    return AuthenticatorSetup(*row) if row else None


async def charge_attempt(tx: Transaction, account_id: UUID, setup_id: UUID) -> int | None:
    """Charge a wrong code and return how many are left; None if the setup takes no more."""
    charged = await tx.scalar(_CHARGE, {"id": account_id, "setup": setup_id})
    return None if charged is None else SETUP_ATTEMPTS - charged


async def end(tx: Transaction, account_id: UUID, setup_id: UUID, now: datetime) -> bool:
    """End the setup and forget its secret; False if it was not open."""
    result = await tx.execute(_END, {"id": account_id, "setup": setup_id, "now": now})
    return result.rowcount == 1


async def end_all(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """End whatever setup is open."""
    await tx.execute(_END_ALL, {"id": account_id, "now": now})
