"""VerifyAuthenticatorCode: a time step is accepted once, and none at or before the last accepted one."""

from uuid import UUID

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.refusals import CommittedRefusal, Reason, Refusal, refuse_committed, unwrap
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows import lockout
from twofactor_server.flows.authenticator_verification import verify_authenticator_code
from twofactor_server.flows.challenge import check_method, lock_challenge
from twofactor_server.flows.idempotency import IdempotentRequest
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.two_factor.complete_sign_in import (
    SignedIn,
    charge_attempt,
    complete_sign_in,
    find_completed_sign_in,
)
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork


class AuthenticatorCodes:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def verify(self, call: Call, token: Token, digits: str, request_id: UUID | None) -> SignedIn:
        """Complete the sign-in with the current code of the authenticator app."""
        request = IdempotentRequest("VerifyAuthenticatorCode", token, request_id, digits)
        async with self._deps.unit_of_work(call, TransactionName.AUTHENTICATOR_CODE_VERIFIED) as uow:
            outcome = await self._verify(uow, request, digits)
        return unwrap(outcome)

    async def _verify(self, uow: UnitOfWork, request: IdempotentRequest, digits: str) -> SignedIn | CommittedRefusal:
        factor, challenge = await lock_challenge(uow, request.token)
        if replayed := await find_completed_sign_in(uow, request, challenge):
            return replayed
        challenge.check_live(uow.now)
        check_method(factor, Method.AUTHENTICATOR)
        if not challenge.attempts_left:
            raise Refusal(Reason.CHALLENGE_EXHAUSTED)
        refusal = await verify_authenticator_code(uow, factor, digits)
        if refusal is None:
            return await complete_sign_in(uow, request, challenge, Proof.AUTHENTICATOR)
        if refusal.reason is Reason.CODE_MISMATCH:
            left = await charge_attempt(uow, challenge)
            await lockout.count_failure(uow, challenge)
            refusal = refuse_committed(Reason.CODE_MISMATCH, attempts_left=left)
        await uow.audit(
            challenge.account_id, "verify_authenticator_code", refusal.reason,
            factor=Proof.AUTHENTICATOR, challenge=challenge,
        )  # fmt: skip
        return refusal
