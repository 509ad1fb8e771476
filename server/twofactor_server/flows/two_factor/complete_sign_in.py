"""The end of a sign-in: the challenge is completed and its session opened, together and once."""

from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID, uuid4

from twofactor_server.crypto.tokens import TokenKind, new_token
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Proof
from twofactor_server.domain.sessions import Session
from twofactor_server.flows.idempotency import IdempotentRequest, ShownBackupCode
from twofactor_server.flows.unit_of_work import UnitOfWork
from twofactor_server.storage import challenges, sessions

_ACTIONS = {
    Proof.EMAIL_CODE: "verify_email_code",
    Proof.AUTHENTICATOR: "verify_authenticator_code",
    Proof.BACKUP_CODE: "use_backup_code",
}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A completed sign-in. ``replayed``: the same answer was given before."""

    session_token: str = field(repr=False)
    session: Session
    new_backup_code: ShownBackupCode | None
    replayed: bool


async def charge_attempt(uow: UnitOfWork, challenge: Challenge) -> int:
    """Charge one attempt; how many are left. If none was left: CHALLENGE_EXHAUSTED, whatever was read before."""
    left = await challenges.charge_attempt(uow.tx, challenge)
    if left is None:
        raise Refusal(Reason.CHALLENGE_EXHAUSTED)
    return left


async def find_completed_sign_in(uow: UnitOfWork, request: IdempotentRequest, challenge: Challenge) -> SignedIn | None:
    """The answer that completed the challenge, for the same request; None while the challenge is not completed.

    Comes before every other check, whatever has become of the challenge since. Another request on a completed
    challenge: CHALLENGE_CONSUMED.
    """
    if challenge.complete_time is None:
        return None
    content = await request.find_reply(uow, challenge.challenge_id)
    session_id = UUID(content["session_id"]) if content else None
    session = await sessions.find_by_id(uow.tx, challenge.account_id, session_id) if session_id else None
    if content is None or session is None:
        raise Refusal(Reason.CHALLENGE_CONSUMED)
    await uow.audit(challenge.account_id, "replay", challenge=challenge, session=session, method=request.method)
    backup_code = ShownBackupCode(content["code"], content["generation"]) if "code" in content else None
    # The session as it was when it was opened, whatever has changed in it since: the same answer.
    opened = replace(
        session,
        email=challenge.email,
        proof=Proof(content["proof"]),
        proof_time=session.create_time,
        last_active_time=session.create_time,
    )
    return SignedIn(content["session_token"], opened, backup_code, replayed=True)


async def complete_sign_in(
    uow: UnitOfWork,
    request: IdempotentRequest,
    challenge: Challenge,
    proof: Proof,
    backup_code: ShownBackupCode | None = None,
) -> SignedIn:
    """Complete the challenge, open its session, store the sealed reply, and write the audit event."""
    await challenges.complete(uow.tx, challenge, uow.now)
    token = new_token(TokenKind.SESSION, challenge.account_id)
    session = _new_session(uow, challenge, proof)
    await sessions.create(uow.tx, session, challenge.challenge_id, token.digest)
    content: dict[str, Any] = {
        "session_token": token.text,
        "session_id": str(session.session_id),
        "proof": session.proof,
    }
    if backup_code is not None:
        content |= {"code": backup_code.code, "generation": backup_code.generation}
    await request.store_reply(
        uow,
        content,
        scope_id=challenge.challenge_id,
        session_id=session.session_id,
        generation=backup_code.generation if backup_code else None,
    )
    await uow.audit(challenge.account_id, _ACTIONS[proof], factor=proof, challenge=challenge, session=session)
    return SignedIn(token.text, session, backup_code, replayed=False)


def _new_session(uow: UnitOfWork, challenge: Challenge, proof: Proof) -> Session:
    lifetime = uow.deps.session_limits.lifetime_of(remembered=challenge.remember_me)
    return Session(
        account_id=challenge.account_id,
        session_id=uuid4(),
        email=challenge.email,
        first_factor=challenge.first_factor,
        proof=proof,
        proof_time=uow.now,
        client=uow.call.client,
        create_time=uow.now,
        expire_time=uow.now + lifetime,
        last_active_time=uow.now,
        end_time=None,
        remembered=challenge.remember_me,
    )
