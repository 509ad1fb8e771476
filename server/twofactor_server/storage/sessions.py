"""Sessions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select, update

from twofactor_server.domain.calls import Client
from twofactor_server.domain.second_factors import Proof
from twofactor_server.domain.sessions import Session
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import accounts, sessions
from twofactor_server.storage.statements import Statement, insert_row, param

_t = sessions.c
_read: Select[*tuple[Any, ...]] = (
    select(
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
    )
    .join_from(sessions, accounts, accounts.c.account_id == _t.account_id)
    .where(_t.account_id == param("account_id"))
)
_by_token = _read.where(_t.token_digest == param("token_digest"))
_this = (_t.account_id == param("account_id"), _t.session_id == param("session_id"))
_not_ended = _t.end_time.is_(None)
_end_all = (
    update(sessions)
    .where(_t.account_id == param("account_id"), _not_ended)
    .values(end_time=param("end_time"))
    .returning(_t.session_id)
)

_FIND = Statement(_by_token)
_LOCK = Statement(_by_token.with_for_update(key_share=True, of=sessions))
_FIND_BY_ID = Statement(_read.where(_t.session_id == param("session_id")))
_LIST_UNEXPIRED = Statement(
    _read.where(_not_ended, _t.expire_time > param("now")).order_by(_t.create_time.desc(), _t.session_id)
)
_INSERT = Statement(insert_row(sessions, omit=("end_time",)))
_TOUCH = Statement(update(sessions).where(*_this, _not_ended).values(last_active_time=param("last_active_time")))
_END = Statement(update(sessions).where(*_this, _not_ended).values(end_time=param("end_time")))
_END_ALL = Statement(_end_all)
_END_OTHERS = Statement(_end_all.where(_t.session_id != param("session_id")))
_SET_PROOF = Statement(
    update(sessions).where(*_this, _not_ended).values(proof=param("proof"), proof_time=param("proof_time"))
)
_ENDED_WITH_ACCOUNT = Statement(
    select(_t.session_id)
    .join_from(sessions, accounts, accounts.c.account_id == _t.account_id)
    .where(
        _t.account_id == param("account_id"),
        _t.token_digest == param("token_digest"),
        _t.end_time == accounts.c.close_time,
    )
)


async def create(tx: Transaction, session: Session, challenge_id: UUID, token_digest: bytes) -> None:
    """Write the session of the challenge. A challenge opens one session: a second insert violates a constraint."""
    await tx.execute(
        _INSERT,
        account_id=session.account_id,
        session_id=session.session_id,
        challenge_id=challenge_id,
        token_digest=token_digest,
        first_factor=session.first_factor,
        proof=session.proof,
        proof_time=session.proof_time,
        ip_address=session.client.ip_address,
        user_agent=session.client.user_agent,
        create_time=session.create_time,
        expire_time=session.expire_time,
        last_active_time=session.last_active_time,
        remembered=session.remembered,
    )


async def find(tx: Transaction, account_id: UUID, digest: bytes) -> Session | None:
    """The session, live or not, without a lock; None if not found."""
    row = await tx.fetch_row(_FIND, account_id=account_id, token_digest=digest)
    return _record(row) if row else None


async def lock(tx: Transaction, account_id: UUID, digest: bytes) -> Session | None:
    """Lock the session, then read it; None if not found. The second factor must be locked before."""
    row = await tx.fetch_row(_LOCK, account_id=account_id, token_digest=digest)
    return _record(row) if row else None


async def find_by_id(tx: Transaction, account_id: UUID, session_id: UUID) -> Session | None:
    """The session, live or not; None if not found."""
    row = await tx.fetch_row(_FIND_BY_ID, account_id=account_id, session_id=session_id)
    return _record(row) if row else None


async def list_unexpired(tx: Transaction, account_id: UUID, now: datetime) -> list[Session]:
    """The account's sessions that are neither ended nor expired, newest first. Some may have been idle too long."""
    return [_record(row) for row in await tx.fetch_all(_LIST_UNEXPIRED, account_id=account_id, now=now)]


async def touch(tx: Transaction, session: Session, now: datetime) -> None:
    """Record that the session was active. No effect on an ended one."""
    await tx.execute(_TOUCH, **_key(session), last_active_time=now)


async def end(tx: Transaction, session: Session, now: datetime) -> bool:
    """End the session; False if it was ended before."""
    return await tx.execute(_END, **_key(session), end_time=now) == 1


async def end_others(tx: Transaction, account_id: UUID, keep: UUID | None, now: datetime) -> list[UUID]:
    """End the account's sessions except ``keep`` (None: all of them), and return the ids of those that it ended.

    Expired sessions are ended, too.
    """
    statement = _END_ALL if keep is None else _END_OTHERS
    rows = await tx.fetch_all(statement, account_id=account_id, session_id=keep, end_time=now)
    return [session_id for (session_id,) in rows]


async def set_proof(tx: Transaction, session: Session, proof: Proof, now: datetime) -> None:
    """Record that the owner passed this second factor in the session. No effect on an ended one."""
    await tx.execute(_SET_PROOF, **_key(session), proof=proof, proof_time=now)


async def ended_with_account(tx: Transaction, account_id: UUID, digest: bytes) -> bool:
    """Whether the session was ended by the closing of its account."""
    return await tx.fetch_value(_ENDED_WITH_ACCOUNT, account_id=account_id, token_digest=digest) is not None


def _key(session: Session) -> dict[str, Any]:
    return {"account_id": session.account_id, "session_id": session.session_id}


def _record(row: Any) -> Session:
    account_id, session_id, email, first_factor, proof, proof_time, ip_address, user_agent, *rest = row
    client = Client(ip_address, user_agent)
    return Session(account_id, session_id, email, first_factor, Proof(proof), proof_time, client, *rest)
