"""UseBackupCode: consume and replace. Never twice, never neither, never lost, never free (docs/how-it-works.md).

Two short transactions with one Argon2id job between them. The first charges the attempt before anyone knows whether the
code is right. The second spends the generation that the first one read, and no other, and installs its replacement.
Every outcome of the second transaction finalizes the attempt that the first one charged.
"""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from twofactor_server.crypto.codes import backup_code_fingerprints
from twofactor_server.crypto.hashing import NewBackupCode
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain import backup_codes as rules
from twofactor_server.domain import limits
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.refusals import CommittedRefusal, Reason, Refusal, refuse_committed, unwrap
from twofactor_server.domain.revert import backup_code_change
from twofactor_server.domain.second_factors import Method, Proof, SecondFactor
from twofactor_server.flows import lockout
from twofactor_server.flows.challenge import check_method, lock_challenge
from twofactor_server.flows.idempotency import IdempotentRequest, ShownBackupCode
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.two_factor.complete_sign_in import (
    SignedIn,
    charge_attempt,
    complete_sign_in,
    find_completed_sign_in,
)
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.mail.notices import BackupCodeUsed
from twofactor_server.storage import backup_codes, replies, second_factors
from twofactor_server.storage.backup_codes import Attempt, AttemptVerdict

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Use:
    """One use of a code. ``fingerprints``: the current key's first."""

    call: Call
    request: IdempotentRequest
    fingerprints: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Charged:
    """What the first transaction read: the hash to verify against, and the only generation that may be spent."""

    code_hash: str = field(repr=False)
    generation: int
    attempts_left: int


class BackupCodes:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def use(self, call: Call, token: Token, code: str, request_id: UUID | None) -> SignedIn:
        """Complete the sign-in with the backup code, and replace the code at the same moment."""
        request = IdempotentRequest("UseBackupCode", token, request_id, code)
        use = _Use(call, request, backup_code_fingerprints(self._deps.keyring, token.account_id, code))
        # Concurrent uses of one code share one slot and one job: the code is verified once, and all get the verdict.
        with self._deps.hashing.reserve(use.fingerprints[0]) as slot:
            async with self._deps.unit_of_work(call, TransactionName.BACKUP_CODE_CHARGED) as uow:
                outcome = await self._charge(uow, use)
            if isinstance(outcome, SignedIn):
                return outcome
            charged = unwrap(outcome)
            # The key is the generation: a verdict on one generation's code says nothing about the next one's.
            job = partial(self._deps.hashing.argon2id.verify_and_replace, charged.code_hash, code)
            new_code = await slot.run(job, call.deadline, key=charged.generation)
            if new_code is None:
                await self._record_wrong_code(use)
                raise Refusal(Reason.CODE_MISMATCH, attempts_left=charged.attempts_left)
            return await self._consume(use, charged, new_code)

    async def _charge(self, uow: UnitOfWork, use: _Use) -> _Charged | SignedIn | CommittedRefusal:
        """The first transaction: answer a repeated call, refuse what must not be verified, charge the attempt."""
        factor, challenge = await lock_challenge(uow, use.request.token)
        if replayed := await find_completed_sign_in(uow, use.request, challenge):
            return replayed
        attempt = await backup_codes.find_attempt(uow.tx, challenge, use.fingerprints)
        pending = attempt is not None and attempt.verdict is AttemptVerdict.PENDING
        # A retry after the challenge expired is admitted for a while: its first try may still succeed.
        challenge.check_live(uow.now - limits.IN_FLIGHT_GRACE if pending else uow.now)
        check_method(factor, Method.AUTHENTICATOR)
        spend_time = await backup_codes.find_spend_time(uow.tx, challenge.account_id, use.fingerprints)
        if attempt is None:
            return await self._charge_new_code(uow, use, factor, challenge, spend_time)
        return await self._charge_again(uow, use, factor, challenge, attempt, spend_time)

    async def _charge_new_code(
        self, uow: UnitOfWork, use: _Use, factor: SecondFactor, challenge: Challenge, spend_time: datetime | None
    ) -> _Charged | CommittedRefusal:
        """A code that is new on this challenge costs an attempt, whatever the verdict."""
        left = await charge_attempt(uow, challenge)
        network_prefix = uow.call.client.network_prefix
        verdict = AttemptVerdict.USED if spend_time else AttemptVerdict.PENDING
        await backup_codes.add_attempt(uow.tx, challenge, use.fingerprints[0], verdict, network_prefix, uow.now)
        if spend_time:
            await self._audit(uow, challenge, Reason.CODE_ALREADY_USED)
            return _already_used(spend_time)
        account, network = await backup_codes.recent_attempt_times(
            uow.tx, challenge.account_id, network_prefix, uow.now
        )
        rules.check_budget(account=account, network=network, now=uow.now)
        return _charged(factor, left)

    async def _charge_again(
        self,
        uow: UnitOfWork,
        use: _Use,
        factor: SecondFactor,
        challenge: Challenge,
        attempt: Attempt,
        spend_time: datetime | None,
    ) -> _Charged | CommittedRefusal:
        """A code tried before on this challenge costs nothing: same refusal, or verified again after a crash."""
        if attempt.verdict is AttemptVerdict.WRONG:
            raise Refusal(Reason.CODE_MISMATCH, attempts_left=challenge.attempts_left)
        if attempt.verdict is AttemptVerdict.USED:
            raise _already_used(spend_time).refusal
        if spend_time:
            await self._finalize(uow, use, challenge, AttemptVerdict.USED, Reason.CODE_ALREADY_USED)
            return _already_used(spend_time)
        if attempt.reverifications >= limits.MAX_REVERIFICATIONS:
            raise Refusal(Reason.CHALLENGE_EXHAUSTED)
        await backup_codes.count_reverification(uow.tx, challenge, attempt)
        return _charged(factor, challenge.attempts_left)

    async def _record_wrong_code(self, use: _Use) -> None:
        async with self._deps.unit_of_work(use.call, TransactionName.BACKUP_CODE_REFUSED) as uow:
            _, challenge = await lock_challenge(uow, use.request.token)
            await self._finalize(uow, use, challenge, AttemptVerdict.WRONG, Reason.CODE_MISMATCH)

    async def _consume(self, use: _Use, charged: _Charged, new_code: NewBackupCode) -> SignedIn:
        try:
            async with self._deps.unit_of_work(use.call, TransactionName.BACKUP_CODE_REPLACED) as uow:
                outcome = await self._replace(uow, use, charged, new_code)
        except backup_codes.GenerationAlreadySpent:
            # The primary key held where the row lock did not. Nothing was lost, but the lock must be examined.
            logger.critical("The primary key refused to spend a backup code twice: the row lock failed.")
            raise Refusal(Reason.CODE_ALREADY_USED) from None
        return unwrap(outcome)

    async def _replace(
        self, uow: UnitOfWork, use: _Use, charged: _Charged, new_code: NewBackupCode
    ) -> SignedIn | CommittedRefusal:
        """The second transaction: read everything again under the lock, then consume and replace."""
        factor, challenge = await lock_challenge(uow, use.request.token)
        concurrent = await self._concurrent_outcome(uow, use, factor, challenge, charged)
        if isinstance(concurrent, CommittedRefusal):
            await self._finalize(uow, use, challenge, _final_verdict(concurrent.reason), concurrent.reason)
        if concurrent is not None:
            return concurrent
        account_id, generation = challenge.account_id, charged.generation
        await backup_codes.spend(uow.tx, account_id, generation, use.fingerprints[0], uow.now)
        await second_factors.replace_backup_code(uow.tx, account_id, generation, new_code.code_hash, uow.now)
        await replies.erase_superseded(uow.tx, account_id, generation + 1)
        await backup_codes.finalize_attempt(uow.tx, challenge, use.fingerprints, AttemptVerdict.RIGHT)
        shown = ShownBackupCode(rules.grouped(new_code.code), generation + 1)
        signed_in = await complete_sign_in(uow, use.request, challenge, Proof.BACKUP_CODE, shown)
        notice = BackupCodeUsed(**uow.notice_context(challenge.email), lifetime=limits.REPLY_LIFETIME)
        change = backup_code_change(generation + 1, signed_in.session.session_id)
        await uow.notify_with_undo_link(account_id, notice, **change)
        return signed_in

    async def _concurrent_outcome(
        self, uow: UnitOfWork, use: _Use, factor: SecondFactor, challenge: Challenge, charged: _Charged
    ) -> SignedIn | CommittedRefusal | None:
        """What happened between the two transactions that decides the call; None if nothing did.

        The challenge may have expired or run out of attempts since the charge: this attempt was in time.
        """
        try:
            if replayed := await find_completed_sign_in(uow, use.request, challenge):
                return replayed
            if challenge.void_time is not None:
                return refuse_committed(Reason.CHALLENGE_EXPIRED)
            check_method(factor, Method.AUTHENTICATOR)
        except Refusal as refusal:
            return CommittedRefusal(refusal)
        if factor.generation == charged.generation:
            return None
        spend_time = await backup_codes.find_generation_spend_time(uow.tx, factor.account_id, charged.generation)
        if spend_time:
            return _already_used(spend_time)
        return refuse_committed(Reason.CODE_MISMATCH, attempts_left=challenge.attempts_left)

    async def _finalize(
        self, uow: UnitOfWork, use: _Use, challenge: Challenge, verdict: AttemptVerdict, reason: Reason
    ) -> None:
        """Give the pending attempt its verdict; the one call that does so audits it and counts a wrong code."""
        if await backup_codes.finalize_attempt(uow.tx, challenge, use.fingerprints, verdict):
            await self._audit(uow, challenge, reason)
            if verdict is AttemptVerdict.WRONG:
                await lockout.count_failure(uow, challenge)

    async def _audit(self, uow: UnitOfWork, challenge: Challenge, reason: Reason) -> None:
        await uow.audit(challenge.account_id, "use_backup_code", reason, factor=Proof.BACKUP_CODE, challenge=challenge)


def _charged(factor: SecondFactor, attempts_left: int) -> _Charged:
    if factor.backup_code_hash is None:
        raise ValueError("an active authenticator has a backup code")
    return _Charged(factor.backup_code_hash, factor.generation, attempts_left)


def _already_used(spend_time: datetime | None) -> CommittedRefusal:
    details = {"used_at": spend_time} if spend_time else {}
    return refuse_committed(Reason.CODE_ALREADY_USED, **details)


def _final_verdict(reason: Reason) -> AttemptVerdict:
    """How a refusal of the second transaction leaves the attempt. RIGHT: the code was, but it opened nothing."""
    verdicts = {Reason.CODE_ALREADY_USED: AttemptVerdict.USED, Reason.CODE_MISMATCH: AttemptVerdict.WRONG}
    return verdicts.get(reason, AttemptVerdict.RIGHT)
