"""Re-authentications tried in a session. Under the second factor's lock."""

from typing import Any

from sqlalchemy import delete, func, select, update

from twofactor_server.domain.sessions import Session
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import reauthentication_attempts
from twofactor_server.storage.statements import Statement, insert_row, param

_PENDING, _WRONG = "pending", "wrong"

_t = reauthentication_attempts.c
_in_session = (_t.account_id == param("account_id"), _t.session_id == param("session_id"))
_this = (*_in_session, _t.fingerprint == param("fingerprint"))
_count = select(func.count()).select_from(reauthentication_attempts).where(*_in_session)
_insert = insert_row(reauthentication_attempts)

_FIND_VERDICT = Statement(select(_t.verdict).where(*_this, _t.password_version == param("password_version")))
_COUNT = Statement(_count)
_COUNT_WRONG = Statement(_count.where(_t.verdict == _WRONG))
_CHARGE = Statement(
    _insert.on_conflict_do_update(
        index_elements=["account_id", "session_id", "fingerprint"],
        set_={"verdict": _insert.excluded.verdict, "password_version": _insert.excluded.password_version},
    )
)
_MARK_WRONG = Statement(update(reauthentication_attempts).where(*_this).values(verdict=_WRONG))
_CANCEL = Statement(delete(reauthentication_attempts).where(*_this, _t.verdict == _PENDING))
_CLEAR = Statement(delete(reauthentication_attempts).where(*_in_session))


async def find_verdict(tx: Transaction, session: Session, fingerprint: bytes, password_version: int) -> str | None:
    """ "pending" or "wrong"; None if this was not tried in the session against this version of the password."""
    verdict: str | None = await tx.fetch_value(
        _FIND_VERDICT, **_key(session), fingerprint=fingerprint, password_version=password_version
    )
    return verdict


async def count(tx: Transaction, session: Session) -> int:
    """The number of distinct attempts that are pending or wrong in the session."""
    attempts: int = await tx.fetch_value(_COUNT, **_key(session))
    return attempts


async def count_wrong(tx: Transaction, session: Session) -> int:
    """The number of distinct attempts that were wrong in the session."""
    attempts: int = await tx.fetch_value(_COUNT_WRONG, **_key(session))
    return attempts


async def charge(tx: Transaction, session: Session, fingerprint: bytes, password_version: int) -> None:
    """Charge the attempt. One that was tried against an older password is pending again."""
    values = {"fingerprint": fingerprint, "password_version": password_version, "verdict": _PENDING}
    await tx.execute(_CHARGE, **_key(session), **values)


async def mark_wrong(tx: Transaction, session: Session, fingerprint: bytes) -> None:
    """Record that the charged attempt was wrong."""
    await tx.execute(_MARK_WRONG, **_key(session), fingerprint=fingerprint)


async def cancel(tx: Transaction, session: Session, fingerprint: bytes) -> None:
    """Delete the pending attempt, which could not be verified and does not count. A wrong one stays."""
    await tx.execute(_CANCEL, **_key(session), fingerprint=fingerprint)


async def clear(tx: Transaction, session: Session) -> None:
    """Delete the session's attempts, after a right one."""
    await tx.execute(_CLEAR, **_key(session))


def _key(session: Session) -> dict[str, Any]:
    return {"account_id": session.account_id, "session_id": session.session_id}
