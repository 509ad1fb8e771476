"""E-mail codes: mailed for one challenge, the newest one works, once, for five minutes."""

from datetime import datetime
from uuid import UUID

from twofactor_server.crypto.codes import email_code_mac, email_code_matches, new_email_code
from twofactor_server.crypto.tokens import TokenKind, parse_token
from twofactor_server.domain import email_codes as rules
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.email_codes import EmailCode
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof, SecondFactor
from twofactor_server.flows import completion, suspicion, trail
from twofactor_server.flows.challenges import ChallengeView, check_method, view
from twofactor_server.flows.completion import SignedIn
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.flows.steps import Step
from twofactor_server.mail.notices import SignInCode
from twofactor_server.storage import accounts, email_codes, second_factors
from twofactor_server.storage.database import Transaction


async def send_code(
    tx: Transaction, deps: Dependencies, call: Call, challenge: Challenge, request_id: UUID | None, now: datetime
) -> None:
    """Mail the challenge a fresh code, which replaces the one before; over budget: DELIVERY_THROTTLED."""
    sent = await email_codes.of_challenge(tx, challenge)
    prefix = call.client.network_prefix
    account, from_prefix = await email_codes.recent_sends(tx, challenge.account_id, prefix, now)
    moment = rules.next_send(sends=len(sent), account=account, prefix=from_prefix, now=now)
    rules.check_send(moment, now, challenge.expire_time)
    digits = new_email_code()
    key_id, mac = email_code_mac(deps.keyring, challenge.account_id, challenge.challenge_id, digits)
    code = EmailCode(number=len(sent) + 1, mac=mac, key_id=key_id, create_time=now, request_id=request_id)
    await email_codes.add(tx, challenge, code, prefix)
    notice = SignInCode(**trail.told(challenge.email, call, now), code=digits, lifetime=rules.LIFETIME)
    await trail.post(tx, deps, challenge.account_id, notice, lifetime=rules.LIFETIME)
    await trail.record(
        tx, call, challenge.account_id, "send_email_code", trail.SUCCESS, now, factor=Proof.EMAIL_CODE,
        challenge=challenge,
    )  # fmt: skip


class EmailCodes:
    """SendEmailCode and VerifyEmailCode."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def send(self, call: Call, challenge_token: str, request_id: UUID | None) -> ChallengeView:
        """Mail another code. The same ``request_id`` sends nothing more."""
        token = parse_token(TokenKind.CHALLENGE, challenge_token, "challenge_token")

        async def work(tx: Transaction) -> ChallengeView:
            now = self._deps.now()
            factor, challenge = await completion.lock_challenge(tx, call, token)
            sent = await email_codes.of_challenge(tx, challenge)
            if request_id is None or all(code.request_id != request_id for code in sent):
                challenge.check_live(now)
                check_method(factor, Method.EMAIL)
                if not challenge.attempts_left:
                    raise Refusal(Reason.CHALLENGE_EXHAUSTED)
                await send_code(tx, self._deps, call, challenge, request_id, now)
            return await view(tx, call, factor, challenge, now)

        return await self._deps.transact(call, Step.EMAIL_CODE_SENT, work)

    async def verify(self, call: Call, challenge_token: str, typed: str, request_id: UUID | None) -> SignedIn:
        """Complete the sign-in with the newest mailed code."""
        token = parse_token(TokenKind.CHALLENGE, challenge_token, "challenge_token")
        digits = rules.normalise(typed)
        logical = LogicalCall("VerifyEmailCode", token, request_id, digits)

        async def work(tx: Transaction) -> SignedIn | Refusal:
            now = self._deps.now()
            factor, challenge = await completion.lock_challenge(tx, call, token)
            replayed = await completion.replay(tx, self._deps, call, logical, challenge, now)
            if replayed:
                return replayed
            check_admitted(factor, challenge, now)
            refusal = await self._judge(tx, call, factor, challenge, digits, now)
            if refusal:
                return refusal
            await accounts.mark_email_verified(tx, challenge.account_id, challenge.email, now)
            return await completion.complete(tx, self._deps, call, logical, challenge, Proof.EMAIL_CODE, now)

        return await self._deps.transact(call, Step.EMAIL_CODE_JUDGED, work)

    async def _judge(
        self, tx: Transaction, call: Call, factor: SecondFactor, challenge: Challenge, digits: str, now: datetime
    ) -> Refusal | None:
        """None if the digits are the newest code, in time; otherwise the refusal, charged where it is a guess."""
        codes = await email_codes.of_challenge(tx, challenge)
        matches = [code.number for code in codes if self._matches(challenge, code, digits)]
        refusal: Refusal | None = None
        if not matches:
            left = await completion.charge(tx, challenge)
            await second_factors.count_email_codes(tx, factor.account_id, factor.email_codes.charged(now))
            refusal = Refusal(Reason.CODE_MISMATCH, attempts_left=left)
        elif codes[0].number not in matches:
            # Whoever types an older code has the mailbox: an attempt of the challenge, no failure of the account.
            left = await completion.charge(tx, challenge)
            refusal = Refusal(Reason.CODE_SUPERSEDED, attempts_left=left)
        elif now >= codes[0].expire_time:
            refusal = Refusal(Reason.CODE_EXPIRED)
        elif factor.email_codes.failures:
            await second_factors.count_email_codes(tx, factor.account_id, type(factor.email_codes)())
        if refusal:
            await trail.record(
                tx, call, factor.account_id, "verify_email_code", refusal.reason, now, factor=Proof.EMAIL_CODE,
                challenge=challenge,
            )  # fmt: skip
            if refusal.reason is not Reason.CODE_EXPIRED:
                await suspicion.count_failure(tx, self._deps, call, challenge, now)
        return refusal

    def _matches(self, challenge: Challenge, code: EmailCode, digits: str) -> bool:
        return email_code_matches(
            self._deps.keyring, code.key_id, code.mac, challenge.account_id, challenge.challenge_id, digits
        )


def check_admitted(factor: SecondFactor, challenge: Challenge, now: datetime) -> None:
    """Refuse, charging nothing, what may not be judged: over, another method, no attempts left, a wait in force."""
    challenge.check_live(now)
    check_method(factor, Method.EMAIL)
    if not challenge.attempts_left:
        raise Refusal(Reason.CHALLENGE_EXHAUSTED)
    wait = factor.email_codes.waiting(now)
    if wait:
        raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=wait)
