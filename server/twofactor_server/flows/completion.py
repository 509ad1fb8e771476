"""How a sign-in ends: the challenge is completed and its session opened, together, once."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from twofactor_server.crypto.tokens import Token, TokenKind, new_token
from twofactor_server.domain import backup_codes
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Proof, SecondFactor
from twofactor_server.domain.sessions import Session
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.storage import challenges, second_factors, sessions
from twofactor_server.storage.database import Transaction

_ACTIONS = {
    Proof.EMAIL_CODE: "verify_email_code",
    Proof.AUTHENTICATOR: "verify_authenticator_code",
    Proof.BACKUP_CODE: "use_backup_code",
}


@dataclass(frozen=True, slots=True)
class IssuedBackupCode:
    """A backup code on its one way to the owner, grouped as it is shown."""

    code: str = field(repr=False)
    generation: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A completed sign-in. ``replayed``: this answer was given before."""

    session_token: str = field(repr=False)
    session: Session
    new_backup_code: IssuedBackupCode | None
    replayed: bool


async def lock_challenge(tx: Transaction, call: Call, token: Token) -> tuple[SecondFactor, Challenge]:
    """The account's second factor and this caller's challenge, locked in that order, then read."""
    factor = await second_factors.lock(tx, token.account_id)
    challenge = await challenges.lock(tx, token.account_id, token.digest, call.caller) if factor else None
    if factor is None or challenge is None:
        raise Refusal(Reason.CHALLENGE_NOT_FOUND)
    return factor, challenge


async def charge(tx: Transaction, challenge: Challenge) -> int:
    """Charge one attempt; how many are left. None left to charge: CHALLENGE_EXHAUSTED, whatever was read before."""
    left = await challenges.charge_attempt(tx, challenge)
    if left is None:
        raise Refusal(Reason.CHALLENGE_EXHAUSTED)
    return left


async def replay(
    tx: Transaction, deps: Dependencies, call: Call, logical: LogicalCall, challenge: Challenge, now: datetime
) -> SignedIn | None:
    """The answer that completed the challenge, for the same logical call; None while it is not completed.

    This look-up comes before every other check, whatever else has become of the challenge. Another call on a
    completed challenge: CHALLENGE_CONSUMED.
    """
    if challenge.complete_time is None:
        return None
    content = await logical.answered(tx, deps, challenge.challenge_id, now)
    session_id = UUID(content["session_id"]) if content else None
    session = await sessions.by_id(tx, challenge.account_id, session_id) if session_id else None
    if content is None or session is None:
        raise Refusal(Reason.CHALLENGE_CONSUMED)
    await trail.record(
        tx, call, challenge.account_id, "replay", trail.SUCCESS, now, challenge=challenge, session=session,
        method=logical.method,
    )  # fmt: skip
    issued = IssuedBackupCode(content["code"], content["generation"]) if "code" in content else None
    # As it was when it was opened, whatever it was used for and came to prove since: the same answer.
    opened = replace(
        session,
        email=challenge.email,
        proof=Proof(content["proof"]),
        proof_time=session.create_time,
        last_active_time=session.create_time,
    )
    return SignedIn(content["session_token"], opened, issued, replayed=True)


async def complete(
    tx: Transaction,
    deps: Dependencies,
    call: Call,
    logical: LogicalCall,
    challenge: Challenge,
    proof: Proof,
    now: datetime,
    issued: IssuedBackupCode | None = None,
) -> SignedIn:
    """Complete the challenge, open its session, keep the sealed reply, write the audit event."""
    await challenges.complete(tx, challenge, now)
    token = new_token(TokenKind.SESSION, challenge.account_id)
    session = _session(deps, call, challenge, proof, now)
    await sessions.create(tx, session, challenge.challenge_id, token.digest)
    content: dict[str, Any] = {
        "session_token": token.text,
        "session_id": str(session.session_id),
        "proof": session.proof,
    }
    if issued is not None:
        content |= {"code": issued.code, "generation": issued.generation}
    await logical.keep(
        tx,
        deps,
        scope_id=challenge.challenge_id,
        session_id=session.session_id,
        generation=issued.generation if issued else None,
        content=content,
        now=now,
    )
    await trail.record(
        tx, call, challenge.account_id, _ACTIONS[proof], trail.SUCCESS, now, factor=proof, challenge=challenge,
        session=session,
    )  # fmt: skip
    return SignedIn(token.text, session, issued, replayed=False)


def issue(code: str, generation: int) -> IssuedBackupCode:
    """The code as the owner sees it."""
    return IssuedBackupCode(backup_codes.grouped(code), generation)


def _session(deps: Dependencies, call: Call, challenge: Challenge, proof: Proof, now: datetime) -> Session:
    return Session(
        account_id=challenge.account_id,
        session_id=uuid4(),
        email=challenge.email,
        first_factor=challenge.first_factor,
        proof=proof,
        proof_time=now,
        client=call.client,
        create_time=now,
        expire_time=now + deps.session_limits.lifetime_of(remembered=challenge.remember_me),
        last_active_time=now,
        end_time=None,
        remembered=challenge.remember_me,
    )
