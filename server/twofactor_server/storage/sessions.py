"""Sessions, and the re-authentications tried in them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from twofactor_server.domain.calls import Client
from twofactor_server.domain.second_factors import Proof
from twofactor_server.domain.sessions import Session
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import accounts, reauthentication_attempts, sessions

_t = sessions.c
_READ: Select[*tuple[Any, ...]] = select(
    _t.account_id,
    _t.session_id,
    accounts.c.email,
    _t.first_factor,
    _t.proof,
    _t.proof_time,
    _t.ip_address,
    _t.user_agent,
    _t.create_time,
    _t.expire_time,
    _t.last_active_time,
    _t.end_time,
    _t.remembered,
).join_from(sessions, accounts, accounts.c.account_id == _t.account_id)
_FIND = _READ.where(_t.account_id == bindparam("id"), _t.token_digest == bindparam("digest"))
_LOCK = _FIND.with_for_update(key_share=True, of=sessions)
_BY_ID = _READ.where(_t.account_id == bindparam("id"), _t.session_id == bindparam("session"))
_NOT_OVER = _READ.where(
    _t.account_id == bindparam("id"), _t.end_time.is_(None), _t.expire_time > bindparam("now")
).order_by(_t.create_time.desc(), _t.session_id)
_INSERT = insert(sessions)
_THIS = (_t.account_id == bindparam("id"), _t.session_id == bindparam("session"))
_TOUCH = update(sessions).where(*_THIS, _t.end_time.is_(None)).values(last_active_time=bindparam("now"))
_END = update(sessions).where(*_THIS, _t.end_time.is_(None)).values(end_time=bindparam("now"))
_END_ALL = (
    update(sessions)
    .where(_t.account_id == bindparam("id"), _t.end_time.is_(None))
    .values(end_time=bindparam("now"))
    .returning(_t.session_id)
)
_END_OTHERS = _END_ALL.where(_t.session_id != bindparam("kept"))
_PROVE = (
    update(sessions)
    .where(*_THIS, _t.end_time.is_(None))
    .values(proof=bindparam("new_proof"), proof_time=bindparam("now"))
)

_r = reauthentication_attempts.c
_IN_SESSION = (_r.account_id == bindparam("id"), _r.session_id == bindparam("session"))
_VERDICT = select(_r.verdict).where(
    *_IN_SESSION, _r.fingerprint == bindparam("print"), _r.password_version == bindparam("version")
)
_COUNT = select(func.count()).select_from(reauthentication_attempts).where(*_IN_SESSION)
_COUNT_WRONG = _COUNT.where(_r.verdict == "wrong")
_CHARGE = upsert(reauthentication_attempts).values(verdict="pending")
_CHARGE = _CHARGE.on_conflict_do_update(
    index_elements=["account_id", "session_id", "fingerprint"],
    set_={"verdict": "pending", "password_version": _CHARGE.excluded.password_version},
)
_WRONG = (
    update(reauthentication_attempts).where(*_IN_SESSION, _r.fingerprint == bindparam("print")).values(verdict="wrong")
)
_WITHDRAW = delete(reauthentication_attempts).where(
    *_IN_SESSION, _r.fingerprint == bindparam("print"), _r.verdict == "pending"
)
_CLEAR = delete(reauthentication_attempts).where(*_IN_SESSION)


async def create(tx: Transaction, session: Session, challenge_id: UUID, token_digest: bytes) -> None:
    """Write the session of the challenge. One challenge opens one session: a second insert violates a constraint."""
    await tx.execute(
        _INSERT,
        {
            "account_id": session.account_id,
            "session_id": session.session_id,
            "challenge_id": challenge_id,
            "token_digest": token_digest,
            "first_factor": session.first_factor,
            "proof": session.proof,
            "proof_time": session.proof_time,
            "ip_address": session.client.ip_address,
            "user_agent": session.client.user_agent,
            "create_time": session.create_time,
            "expire_time": session.expire_time,
            "last_active_time": session.last_active_time,
            "remembered": session.remembered,
        },
    )


async def find(tx: Transaction, account_id: UUID, digest: bytes) -> Session | None:
    """The session as it is now, live or not, without a lock; None if there is none."""
    row = (await tx.execute(_FIND, {"id": account_id, "digest": digest})).one_or_none()
    return _record(row) if row else None


async def lock(tx: Transaction, account_id: UUID, digest: bytes) -> Session | None:
    """Lock the session, then read it; the second factor is locked before."""
    row = (await tx.execute(_LOCK, {"id": account_id, "digest": digest})).one_or_none()
    return _record(row) if row else None


async def by_id(tx: Transaction, account_id: UUID, session_id: UUID) -> Session | None:
    """The session, live or not; None if there is none."""
    row = (await tx.execute(_BY_ID, {"id": account_id, "session": session_id})).one_or_none()
    return _record(row) if row else None


async def not_over(tx: Transaction, account_id: UUID, now: datetime) -> list[Session]:
    """The account's sessions that were not ended and have time left, the newest first; some may be idle too long."""
    return [_record(row) for row in await tx.execute(_NOT_OVER, {"id": account_id, "now": now})]


async def touch(tx: Transaction, session: Session, now: datetime) -> None:
    """The session was active; an ended one stays ended."""
    await tx.execute(_TOUCH, {"id": session.account_id, "session": session.session_id, "now": now})


async def end(tx: Transaction, session: Session, now: datetime) -> bool:
    """End the session for good; False if it was ended before."""
    result = await tx.execute(_END, {"id": session.account_id, "session": session.session_id, "now": now})
    return result.rowcount == 1


async def end_others(tx: Transaction, account_id: UUID, keep: UUID | None, now: datetime) -> list[UUID]:
    """End every session of the account but ``keep`` (None: all) for good; the ids of those that it ended."""
    statement = _END_ALL if keep is None else _END_OTHERS
    values = {"id": account_id, "now": now} | ({} if keep is None else {"kept": keep})
    return list((await tx.execute(statement, values)).scalars())


async def prove(tx: Transaction, session: Session, proof: Proof, now: datetime) -> None:
    """The owner passed this second factor in the session, now."""
    await tx.execute(
        _PROVE,
        {"id": session.account_id, "session": session.session_id, "new_proof": proof, "now": now},
    )


async def reauthentication_verdict(
    tx: Transaction, session: Session, fingerprint: bytes, password_version: int
) -> str | None:
    """What this re-authentication came to in this session: "pending", "wrong", or None if it is new."""
    verdict: str | None = await tx.scalar(_VERDICT, _key(session) | {"print": fingerprint, "version": password_version})
    return verdict


async def count_reauthentications(tx: Transaction, session: Session) -> int:
    """How many distinct re-authentications are pending or wrong in this session."""
    return await tx.scalar(_COUNT, _key(session)) or 0


async def count_wrong_reauthentications(tx: Transaction, session: Session) -> int:
    """How many distinct re-authentications were wrong in this session."""
    return await tx.scalar(_COUNT_WRONG, _key(session)) or 0


async def charge_reauthentication(tx: Transaction, session: Session, fingerprint: bytes, password_version: int) -> None:
    """Charge this re-authentication; one tried against an older password is charged anew."""
    await tx.execute(
        _CHARGE,
        {
            "account_id": session.account_id,
            "session_id": session.session_id,
            "fingerprint": fingerprint,
            "password_version": password_version,
        },
    )


async def refuse_reauthentication(tx: Transaction, session: Session, fingerprint: bytes) -> None:
    """The charged re-authentication was wrong."""
    await tx.execute(_WRONG, _key(session) | {"print": fingerprint})


async def withdraw_reauthentication(tx: Transaction, session: Session, fingerprint: bytes) -> None:
    """The charged re-authentication could not be judged: it does not count."""
    await tx.execute(_WITHDRAW, _key(session) | {"print": fingerprint})


async def clear_reauthentications(tx: Transaction, session: Session) -> None:
    """A right re-authentication forgives the wrong ones before it."""
    await tx.execute(_CLEAR, _key(session))


def _key(session: Session) -> dict[str, Any]:
    return {"id": session.account_id, "session": session.session_id}


def _record(row: Row[*tuple[Any, ...]]) -> Session:
    account_id, session_id, email, first_factor, proof, proof_time, ip_address, user_agent, *rest = row
    return Session(
        account_id,
        session_id,
        email,
        first_factor,
        Proof(proof),
        proof_time,
        Client(ip_address, user_agent),
        *rest,
    )
