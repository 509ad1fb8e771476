"""UseBackupCode: consume and replace. Never twice, never neither, never lost, never free.

Two short transactions with one Argon2id job between them. The first charges the attempt before anybody knows its
verdict; the second spends the generation that the first one read, and no other, and puts the next one in its place.
Every outcome of the second settles the attempt that the first one charged.
"""

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import UUID

from twofactor_server.crypto.codes import backup_code_fingerprints
from twofactor_server.crypto.hashing import Replacement
from twofactor_server.crypto.tokens import TokenKind, parse_token
from twofactor_server.domain import backup_codes as rules
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.not_me import backup_code_changed
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof, SecondFactor
from twofactor_server.domain.sessions import Session
from twofactor_server.flows import completion, suspicion, trail
from twofactor_server.flows.challenges import check_method
from twofactor_server.flows.completion import SignedIn
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.flows.steps import Step
from twofactor_server.mail.notices import BackupCodeUsed
from twofactor_server.storage import backup_codes, replies, second_factors
from twofactor_server.storage.backup_codes import AttemptVerdict
from twofactor_server.storage.database import Transaction

logger = logging.getLogger(__name__)

# How a refusal of the second transaction leaves the attempt. RIGHT: the code was, only it opened nothing.
_VERDICTS = defaultdict(
    lambda: AttemptVerdict.RIGHT,
    {Reason.CODE_ALREADY_USED: AttemptVerdict.USED, Reason.CODE_MISMATCH: AttemptVerdict.WRONG},
)


@dataclass(frozen=True, slots=True)
class _Use:
    """One use under way. ``fingerprints``: the current key's first."""

    call: Call
    logical: LogicalCall
    code: str = field(repr=False)
    fingerprints: tuple[bytes, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Charged:
    """What the first transaction read: the code to verify against, and the only generation that may be spent."""

    code_hash: str = field(repr=False)
    generation: int
    attempts_left: int


class BackupCodes:
    """UseBackupCode."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def use(self, call: Call, challenge_token: str, typed: str, request_id: UUID | None) -> SignedIn:
        """Complete the sign-in with the backup code, and replace it in the same moment."""
        token = parse_token(TokenKind.CHALLENGE, challenge_token, "challenge_token")
        code = rules.normalise(typed)
        fingerprints = backup_code_fingerprints(self._deps.keyring, token.account_id, code)
        use = _Use(call, LogicalCall("UseBackupCode", token, request_id, code), code, fingerprints)
        # Requests that race with one code share one place and one job: one verifies, all learn the verdict.
        with self._deps.hashing.place(fingerprints[0]) as place:
            charged: _Charged | SignedIn = await self._deps.transact(
                call, Step.BACKUP_CODE_CHARGED, partial(self._charge, use=use)
            )
            if isinstance(charged, SignedIn):
                return charged
            # The key holds the generation: a verdict on one generation's code says nothing about the next one's.
            job = partial(self._deps.hashing.argon2id.verify_and_replace, charged.code_hash, code)
            replacement = await place.run(job, call.deadline, key=charged.generation)
            return await self._settled(use, charged, replacement)

    async def _settled(self, use: _Use, charged: _Charged, replacement: Replacement | None) -> SignedIn:
        if replacement is None:
            refuse = partial(self._refuse, use=use, charged=charged)
            return await self._deps.transact(use.call, Step.BACKUP_CODE_REFUSED, refuse)
        replace = partial(self._replace, use=use, charged=charged, replacement=replacement)
        try:
            return await self._deps.transact(use.call, Step.BACKUP_CODE_REPLACED, replace)
        except backup_codes.GenerationSpentTwice:
            # The last line held, the first one did not: nothing was lost, but the lock needs a look at once.
            logger.critical("the primary key refused to spend a generation twice: the row lock failed")
            raise Refusal(Reason.CODE_ALREADY_USED) from None

    async def _charge(self, tx: Transaction, use: _Use) -> _Charged | SignedIn | Refusal:
        """The first transaction: replay, refuse what may not be judged, charge the attempt."""
        now = self._deps.now()
        factor, challenge = await completion.lock_challenge(tx, use.call, use.logical.token)
        replayed = await completion.replay(tx, self._deps, use.call, use.logical, challenge, now)
        if replayed:
            return replayed
        attempt = await backup_codes.find_attempt(tx, challenge, use.fingerprints)
        pending = attempt is not None and attempt.verdict is AttemptVerdict.PENDING
        # Charged in time is in time: who is told that time is up does not ask again, and the first try may succeed.
        challenge.check_live(now - rules.UNDER_WAY if pending else now)
        check_method(factor, Method.AUTHENTICATOR)
        spent = await backup_codes.spent_at(tx, challenge.account_id, use.fingerprints)
        if attempt is None:
            return await self._charge_new(tx, use, factor, challenge, spent, now)
        match attempt.verdict:
            case AttemptVerdict.WRONG:
                raise Refusal(Reason.CODE_MISMATCH, attempts_left=challenge.attempts_left)
            case AttemptVerdict.USED:
                raise _already_used(spent)
        # Charged before, and left without a verdict by a crash or a cancel: judged again, free.
        if spent:
            await self._settle(tx, use, challenge, AttemptVerdict.USED, Reason.CODE_ALREADY_USED, now)
            return _already_used(spent)
        if attempt.rejudgements >= rules.REJUDGEMENTS:
            raise Refusal(Reason.CHALLENGE_EXHAUSTED)
        await backup_codes.count_rejudgement(tx, challenge, attempt)
        return _charged(factor, challenge.attempts_left)

    async def _charge_new(
        self,
        tx: Transaction,
        use: _Use,
        factor: SecondFactor,
        challenge: Challenge,
        spent: datetime | None,
        now: datetime,
    ) -> _Charged | Refusal:
        """A code that is new on this challenge: it costs an attempt, whatever comes of it."""
        left = await completion.charge(tx, challenge)
        prefix = use.call.client.network_prefix
        verdict = AttemptVerdict.USED if spent else AttemptVerdict.PENDING
        await backup_codes.add_attempt(tx, challenge, use.fingerprints[0], verdict, prefix, now)
        if spent:
            await self._record(tx, use, challenge, Reason.CODE_ALREADY_USED, now)
            return _already_used(spent)
        account, from_prefix = await backup_codes.counted_codes(tx, challenge.account_id, prefix, now)
        rules.check_budget(account=account, prefix=from_prefix, now=now)
        return _charged(factor, left)

    async def _refuse(self, tx: Transaction, use: _Use, charged: _Charged) -> Refusal:
        """The code was wrong: say so in the attempt, once."""
        now = self._deps.now()
        _, challenge = await completion.lock_challenge(tx, use.call, use.logical.token)
        await self._settle(tx, use, challenge, AttemptVerdict.WRONG, Reason.CODE_MISMATCH, now)
        return Refusal(Reason.CODE_MISMATCH, attempts_left=charged.attempts_left)

    async def _replace(
        self, tx: Transaction, use: _Use, charged: _Charged, replacement: Replacement
    ) -> SignedIn | Refusal:
        """The second transaction: everything that was true is read again under the lock, then all of it changes."""
        now = self._deps.now()
        factor, challenge = await completion.lock_challenge(tx, use.call, use.logical.token)
        overtaken = await self._overtaken(tx, use, factor, challenge, charged, now)
        if isinstance(overtaken, Refusal):
            await self._settle(tx, use, challenge, _VERDICTS[overtaken.reason], overtaken.reason, now)
        if overtaken is not None:
            return overtaken
        await self._spend(tx, use, charged, replacement, now)
        await backup_codes.settle(tx, challenge, use.fingerprints, AttemptVerdict.RIGHT)
        issued = completion.issue(replacement.code, charged.generation + 1)
        signed_in = await completion.complete(
            tx, self._deps, use.call, use.logical, challenge, Proof.BACKUP_CODE, now, issued
        )
        await self._notify(tx, use, challenge, signed_in.session, issued.generation, now)
        return signed_in

    async def _overtaken(
        self,
        tx: Transaction,
        use: _Use,
        factor: SecondFactor,
        challenge: Challenge,
        charged: _Charged,
        now: datetime,
    ) -> SignedIn | Refusal | None:
        """What came between the two transactions; None if nothing did.

        That the challenge ran out of time or attempts since the charge is no reason: this attempt was in time.
        """
        try:
            replayed = await completion.replay(tx, self._deps, use.call, use.logical, challenge, now)
            if replayed:
                return replayed
            if challenge.void_time is not None:
                return Refusal(Reason.CHALLENGE_EXPIRED)
            check_method(factor, Method.AUTHENTICATOR)
        except Refusal as refusal:
            return refusal
        if factor.generation == charged.generation:
            return None
        spent = await backup_codes.generation_spent_at(tx, factor.account_id, charged.generation)
        return _already_used(spent) if spent else Refusal(Reason.CODE_MISMATCH, attempts_left=challenge.attempts_left)

    async def _spend(
        self, tx: Transaction, use: _Use, charged: _Charged, replacement: Replacement, now: datetime
    ) -> None:
        account_id, generation = use.logical.token.account_id, charged.generation
        await backup_codes.spend(tx, account_id, generation, use.fingerprints[0], now)
        await second_factors.replace_backup_code(tx, account_id, generation, replacement.code_hash, now)
        await replies.erase_superseded(tx, account_id, generation + 1)

    async def _notify(
        self, tx: Transaction, use: _Use, challenge: Challenge, session: Session, generation: int, now: datetime
    ) -> None:
        notice = BackupCodeUsed(**trail.told(challenge.email, use.call, now), lifetime=rules.REPLY_LIFETIME)
        undoing = backup_code_changed(generation, session.session_id)
        await trail.post_undoable(tx, self._deps, challenge.account_id, notice, **undoing)

    async def _settle(
        self, tx: Transaction, use: _Use, challenge: Challenge, verdict: AttemptVerdict, reason: Reason, now: datetime
    ) -> None:
        """Give the pending attempt its verdict; who does, tells the audit trail and counts a wrong code, once."""
        if await backup_codes.settle(tx, challenge, use.fingerprints, verdict):
            await self._record(tx, use, challenge, reason, now)
            if verdict is AttemptVerdict.WRONG:
                await suspicion.count_failure(tx, self._deps, use.call, challenge, now)

    async def _record(self, tx: Transaction, use: _Use, challenge: Challenge, reason: Reason, now: datetime) -> None:
        await trail.record(
            tx, use.call, challenge.account_id, "use_backup_code", reason, now, factor=Proof.BACKUP_CODE,
            challenge=challenge,
        )  # fmt: skip


def _charged(factor: SecondFactor, attempts_left: int) -> _Charged:
    if factor.backup_code_hash is None:
        raise ValueError("an active authenticator has a backup code")
    return _Charged(factor.backup_code_hash, factor.generation, attempts_left)


def _already_used(spent: datetime | None) -> Refusal:
    return Refusal(Reason.CODE_ALREADY_USED, used_at=spent) if spent else Refusal(Reason.CODE_ALREADY_USED)
