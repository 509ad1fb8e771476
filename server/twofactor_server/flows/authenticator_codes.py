"""Authenticator codes at sign-in: a step is accepted once, and none at or before the last accepted one."""

from datetime import datetime
from uuid import UUID

from twofactor_server.crypto.keyring import Keyring, Purpose
from twofactor_server.crypto.sealing import unseal
from twofactor_server.crypto.tokens import TokenKind, parse_token
from twofactor_server.crypto.totp import codes_at
from twofactor_server.domain import authenticator, email_codes
from twofactor_server.domain.authenticator import Verdict
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import DISABLED_AFTER, Method, Proof, SecondFactor
from twofactor_server.flows import completion, suspicion, trail
from twofactor_server.flows.challenges import check_method
from twofactor_server.flows.completion import SignedIn
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.flows.steps import Step
from twofactor_server.storage import second_factors
from twofactor_server.storage.database import Transaction


class AuthenticatorCodes:
    """VerifyAuthenticatorCode."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def verify(self, call: Call, challenge_token: str, typed: str, request_id: UUID | None) -> SignedIn:
        """Complete the sign-in with the app's current code."""
        token = parse_token(TokenKind.CHALLENGE, challenge_token, "challenge_token")
        digits = email_codes.normalise(typed)
        logical = LogicalCall("VerifyAuthenticatorCode", token, request_id, digits)

        async def work(tx: Transaction) -> SignedIn | Refusal:
            now = self._deps.now()
            factor, challenge = await completion.lock_challenge(tx, call, token)
            replayed = await completion.replay(tx, self._deps, call, logical, challenge, now)
            if replayed:
                return replayed
            challenge.check_live(now)
            check_method(factor, Method.AUTHENTICATOR)
            if not challenge.attempts_left:
                raise Refusal(Reason.CHALLENGE_EXHAUSTED)
            refusal = await judge(tx, self._deps, factor, digits, now)
            if refusal:
                return await self._refused(tx, call, challenge, refusal, now)
            return await completion.complete(tx, self._deps, call, logical, challenge, Proof.AUTHENTICATOR, now)

        return await self._deps.transact(call, Step.AUTHENTICATOR_CODE_JUDGED, work)

    async def _refused(
        self, tx: Transaction, call: Call, challenge: Challenge, refusal: Refusal, now: datetime
    ) -> Refusal:
        if refusal.reason is Reason.CODE_MISMATCH:
            refusal = Refusal(Reason.CODE_MISMATCH, attempts_left=await completion.charge(tx, challenge))
            await suspicion.count_failure(tx, self._deps, call, challenge, now)
        await trail.record(
            tx, call, challenge.account_id, "verify_authenticator_code", refusal.reason, now,
            factor=Proof.AUTHENTICATOR, challenge=challenge,
        )  # fmt: skip
        return refusal


async def judge(
    tx: Transaction, deps: Dependencies, factor: SecondFactor, digits: str, now: datetime
) -> Refusal | None:
    """Accept the step (None), or the refusal to return: what it charges to the account is charged.

    Raises, charging nothing, if the authenticator is disabled or a wait is in force. A right code of a spent step
    is CODE_ALREADY_USED and costs nothing: it is no guess.
    """
    if factor.authenticator_disabled:
        raise Refusal(Reason.AUTHENTICATOR_DISABLED)
    wait = factor.authenticator.waiting(now)
    if wait:
        raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=wait)
    secret = unseal_secret(deps.keyring, factor.account_id, factor.totp_secret)
    verdict, step = authenticator.judge(digits, codes_at(secret, authenticator.steps_around(now)), factor.last_step)
    match verdict:
        case Verdict.RIGHT:
            await second_factors.accept_step(tx, factor.account_id, step)
            return None
        case Verdict.REPLAYED:
            return Refusal(Reason.CODE_ALREADY_USED)
        case Verdict.WRONG:
            counter = factor.authenticator.charged(now)
            disabled = counter.failures >= DISABLED_AFTER
            await second_factors.count_authenticator(tx, factor.account_id, counter, disabled=disabled)
            return Refusal(Reason.CODE_MISMATCH)


def unseal_secret(keyring: Keyring, account_id: UUID, sealed: bytes | None) -> bytes:
    """The account's TOTP secret; sealed for this account, it opens for no other."""
    if sealed is None:
        raise ValueError("an active authenticator has a secret")
    return unseal(keyring, Purpose.TOTP_SECRET, account_id.bytes, sealed)
