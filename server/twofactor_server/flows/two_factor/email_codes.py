"""SendEmailCode and VerifyEmailCode: a code is sent for one challenge; the newest one works, once, for five minutes."""

from uuid import UUID

from twofactor_server.crypto.codes import email_code_mac, email_code_matches, new_email_code
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain import email_codes as rules
from twofactor_server.domain import limits
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.email_codes import EmailCode
from twofactor_server.domain.refusals import CommittedRefusal, Reason, Refusal, refuse_committed, unwrap
from twofactor_server.domain.second_factors import Counter, Method, Proof, SecondFactor
from twofactor_server.flows import lockout
from twofactor_server.flows.challenge import ChallengeView, check_method, lock_challenge, view_challenge
from twofactor_server.flows.idempotency import IdempotentRequest
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.two_factor.complete_sign_in import (
    SignedIn,
    charge_attempt,
    complete_sign_in,
    find_completed_sign_in,
)
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.mail.notices import SignInCode
from twofactor_server.storage import accounts, email_codes, second_factors


class EmailCodes:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def send(self, call: Call, token: Token, request_id: UUID | None) -> ChallengeView:
        """Send another code. The same ``request_id`` sends no further one."""
        async with self._deps.unit_of_work(call, TransactionName.EMAIL_CODE_SENT) as uow:
            factor, challenge = await lock_challenge(uow, token)
            sent = await email_codes.list_codes(uow.tx, challenge)
            if request_id is None or all(code.request_id != request_id for code in sent):
                challenge.check_live(uow.now)
                check_method(factor, Method.EMAIL)
                if not challenge.attempts_left:
                    raise Refusal(Reason.CHALLENGE_EXHAUSTED)
                await send_email_code(uow, challenge, request_id)
            return await view_challenge(uow.tx, call, factor, challenge, uow.now)

    async def verify(self, call: Call, token: Token, digits: str, request_id: UUID | None) -> SignedIn:
        """Complete the sign-in with the newest code."""
        request = IdempotentRequest("VerifyEmailCode", token, request_id, digits)
        async with self._deps.unit_of_work(call, TransactionName.EMAIL_CODE_VERIFIED) as uow:
            outcome = await self._verify(uow, request, digits)
        return unwrap(outcome)

    async def _verify(self, uow: UnitOfWork, request: IdempotentRequest, digits: str) -> SignedIn | CommittedRefusal:
        factor, challenge = await lock_challenge(uow, request.token)
        if replayed := await find_completed_sign_in(uow, request, challenge):
            return replayed
        challenge.check_live(uow.now)
        check_method(factor, Method.EMAIL)
        if not challenge.attempts_left:
            raise Refusal(Reason.CHALLENGE_EXHAUSTED)
        if wait := factor.email_codes.remaining_wait(uow.now):
            raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=wait)
        if refusal := await self._check_code(uow, factor, challenge, digits):
            await uow.audit(
                factor.account_id, "verify_email_code", refusal.reason, factor=Proof.EMAIL_CODE, challenge=challenge
            )
            if refusal.reason is not Reason.CODE_EXPIRED:
                await lockout.count_failure(uow, challenge)
            return refusal
        if factor.email_codes.failures:
            await second_factors.set_email_code_counter(uow.tx, factor.account_id, Counter())
        await accounts.mark_email_verified(uow.tx, challenge.account_id, challenge.email, uow.now)
        return await complete_sign_in(uow, request, challenge, Proof.EMAIL_CODE)

    async def _check_code(
        self, uow: UnitOfWork, factor: SecondFactor, challenge: Challenge, digits: str
    ) -> CommittedRefusal | None:
        """None if the digits are the newest code and in time; otherwise the refusal, charged if it was a guess."""
        codes = await email_codes.list_codes(uow.tx, challenge)
        matches = [code.number for code in codes if self._matches(challenge, code, digits)]
        if not matches:
            left = await charge_attempt(uow, challenge)
            counter = factor.email_codes.after_failure(uow.now)
            await second_factors.set_email_code_counter(uow.tx, factor.account_id, counter)
            return refuse_committed(Reason.CODE_MISMATCH, attempts_left=left)
        if codes[0].number not in matches:
            # Someone who types an older code reads the mailbox: it costs an attempt, and is no failure of the account.
            left = await charge_attempt(uow, challenge)
            return refuse_committed(Reason.CODE_SUPERSEDED, attempts_left=left)
        if uow.now >= codes[0].expire_time:
            return refuse_committed(Reason.CODE_EXPIRED)
        return None

    def _matches(self, challenge: Challenge, code: EmailCode, digits: str) -> bool:
        return email_code_matches(
            self._deps.keyring, code.key_id, code.mac, challenge.account_id, challenge.challenge_id, digits
        )


async def send_email_code(uow: UnitOfWork, challenge: Challenge, request_id: UUID | None) -> None:
    """Send the challenge a new code, which replaces the one before. Over budget: DELIVERY_THROTTLED."""
    account_id, network_prefix = challenge.account_id, uow.call.client.network_prefix
    sent = await email_codes.list_codes(uow.tx, challenge)
    account, network = await email_codes.recent_send_times(uow.tx, account_id, network_prefix, uow.now)
    allowed = rules.next_send(sends=len(sent), account=account, network=network, now=uow.now)
    rules.check_send(allowed, uow.now, challenge.expire_time)
    digits = new_email_code()
    key_id, mac = email_code_mac(uow.deps.keyring, account_id, challenge.challenge_id, digits)
    code = EmailCode(number=len(sent) + 1, mac=mac, key_id=key_id, create_time=uow.now, request_id=request_id)
    await email_codes.create(uow.tx, challenge, code, network_prefix)
    lifetime = limits.EMAIL_CODE_LIFETIME
    notice = SignInCode(**uow.notice_context(challenge.email), code=digits, lifetime=lifetime)
    await uow.notify(account_id, notice, lifetime)
    await uow.audit(account_id, "send_email_code", factor=Proof.EMAIL_CODE, challenge=challenge)
