"""StartSignIn: the first factor, and the challenge that follows it."""

import logging
from dataclasses import dataclass, field
from functools import partial
from uuid import uuid4

from twofactor_server.crypto.hashing import Slot
from twofactor_server.crypto.tokens import TokenKind, new_token
from twofactor_server.domain import limits
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call, DeadlinePassed
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.first_factors import Assertion, FirstFactor, PasswordCredential
from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.domain.refusals import CommittedRefusal, Reason, Refusal, invalid, refuse_committed, unwrap
from twofactor_server.domain.second_factors import Method
from twofactor_server.flows.challenge import ChallengeView, view_challenge
from twofactor_server.flows.sign_in.throttling import admit_attempt, clear_throttle, record_failure
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.two_factor.email_codes import send_email_code
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.storage import accounts, challenges, identities, second_factors
from twofactor_server.storage.audit import NO_ACCOUNT

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """A challenge and its token."""

    challenge_token: str = field(repr=False)
    challenge: ChallengeView


@dataclass(frozen=True, slots=True)
class _FirstFactorPassed:
    """``account`` as it was read before its first factor was verified. ``identity`` is set for a provider's sign-in."""

    account: Account
    first_factor: str
    identity: ProvenIdentity | None = None


class SignIn:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def start(self, call: Call, given: FirstFactor, *, remember_me: bool) -> StartedSignIn:
        """Verify the first factor and open a challenge for the second."""
        if isinstance(given, PasswordCredential):
            passed = await self._check_password(call, given)
        elif isinstance(given, ProviderCredential):
            passed = await self._check_identity(call, given)
        else:
            passed = await self._check_assertion(call, given)
        async with self._deps.unit_of_work(call, TransactionName.SIGN_IN_STARTED) as uow:
            outcome = await self._open_challenge(uow, passed, remember_me=remember_me)
        return unwrap(outcome)

    async def _check_password(self, call: Call, given: PasswordCredential) -> _FirstFactorPassed:
        """An unknown address, a wrong password and an account without one: one answer, one hash, one audit event."""
        with self._deps.hashing.reserve() as slot:
            async with self._deps.database.reading() as tx:
                account = await accounts.find_by_email(tx, given.email)
            attempt = await admit_attempt(self._deps, call, given.email, account)
            argon2id = self._deps.hashing.argon2id
            password_hash = account.password_hash if account else None
            job = partial(argon2id.verify, password_hash or argon2id.decoy, given.password)
            right = await slot.run(job, call.deadline)
            if account and password_hash and right:
                await clear_throttle(self._deps, call, attempt)
                await self._rehash(call, slot, account, given.password)
                return _FirstFactorPassed(account, "password")
        async with self._deps.unit_of_work(call, TransactionName.FIRST_FACTOR_REFUSED) as uow:
            await record_failure(uow, attempt)
            account_id = account.account_id if account else NO_ACCOUNT
            await uow.audit(account_id, "start_sign_in", Reason.CREDENTIALS_MISMATCH, factor="password")
        raise Refusal(Reason.CREDENTIALS_MISMATCH)

    async def _rehash(self, call: Call, slot: Slot, account: Account, password: str) -> None:
        """Replace a hash with outdated Argon2 parameters, now that the password is known.

        No sign-in fails because of it: the next one tries again. A password changed since ``account`` was read is kept.
        """
        argon2id = self._deps.hashing.argon2id
        if account.password_hash is None or not argon2id.is_outdated(account.password_hash):
            return
        try:
            new_hash = await slot.run(partial(argon2id.hash, password), call.deadline, key="rehash")
            async with self._deps.database.transaction() as tx:
                await second_factors.lock(tx, account.account_id)
                await accounts.rehash_password(tx, account, new_hash)
        except (Refusal, DeadlinePassed):
            logger.info("a password hash stays outdated until the next sign-in: call=%s", call.call_id)

    async def _check_identity(self, call: Call, given: ProviderCredential) -> _FirstFactorPassed:
        """Exchange the code and find the account that the identity is linked to.

        E-mail addresses play no part, even verified ones: registering someone else's address at the provider or here
        gains nothing.
        """
        try:
            identity = await self._deps.providers.exchange(given, call.deadline)
            async with self._deps.database.reading() as tx:
                account = await identities.find_account(tx, identity.issuer, identity.subject)
            if account is None:
                raise Refusal(Reason.IDENTITY_NOT_LINKED)
        except Refusal as refusal:
            if refusal.reason is not Reason.DEPENDENCY_UNAVAILABLE:
                async with self._deps.unit_of_work(call, TransactionName.FIRST_FACTOR_REFUSED) as uow:
                    await uow.audit(
                        NO_ACCOUNT, "start_sign_in", refusal.reason,
                        factor=given.first_factor, provider=given.provider,
                    )  # fmt: skip
            raise
        return _FirstFactorPassed(account, given.first_factor, identity)

    async def _check_assertion(self, call: Call, given: Assertion) -> _FirstFactorPassed:
        """Accept a trusted caller's statement that it verified the first factor."""
        if not call.may_assert:
            raise Refusal(Reason.CALLER_NOT_ALLOWED)
        if not given.recent(self._deps.now()):
            raise invalid("at most 10 minutes ago, not in the future")
        async with self._deps.database.reading() as tx:
            account = await accounts.find(tx, given.account_id)
        if account is None:
            raise Refusal(Reason.ACCOUNT_NOT_FOUND)
        return _FirstFactorPassed(account, "asserted")

    async def _open_challenge(
        self, uow: UnitOfWork, passed: _FirstFactorPassed, *, remember_me: bool
    ) -> StartedSignIn | CommittedRefusal:
        account_id, identity = passed.account.account_id, passed.identity
        factor = await second_factors.lock(uow.tx, account_id)
        account = await accounts.find(uow.tx, account_id)
        # Read again under the lock: the password that was verified may have been changed since.
        if factor is None or account is None or account.password_version != passed.account.password_version:
            raise Refusal(Reason.CREDENTIALS_MISMATCH)
        if account.suspend_time is not None:
            reason = Reason.FIRST_FACTOR_SUSPENDED
            await uow.audit(account_id, "start_sign_in", reason, factor=passed.first_factor)
            return refuse_committed(reason)
        if identity and not await identities.find(uow.tx, account_id, identity.issuer, identity.subject):
            raise Refusal(Reason.IDENTITY_NOT_LINKED)
        token = new_token(TokenKind.CHALLENGE, account_id)
        challenge = _new_challenge(uow, account, passed.first_factor, remember_me=remember_me)
        await challenges.create(uow.tx, challenge, token.digest)
        await uow.audit(account_id, "start_sign_in", factor=passed.first_factor, challenge=challenge)
        if factor.method is Method.EMAIL:
            await send_email_code(uow, challenge, None)
        view = await view_challenge(uow.tx, uow.call, factor, challenge, uow.now)
        return StartedSignIn(token.text, view)


def _new_challenge(uow: UnitOfWork, account: Account, first_factor: str, *, remember_me: bool) -> Challenge:
    return Challenge(
        account_id=account.account_id,
        challenge_id=uuid4(),
        caller=uow.call.caller,
        email=account.email,
        first_factor=first_factor,
        password_version=account.password_version,
        remember_me=remember_me,
        attempts=0,
        create_time=uow.now,
        expire_time=uow.now + limits.CHALLENGE_LIFETIME,
        complete_time=None,
        void_time=None,
    )
