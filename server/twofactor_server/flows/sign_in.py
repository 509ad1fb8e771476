"""StartSignIn: the first factor, and the challenge that comes of it."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from uuid import uuid4

from twofactor_server.crypto.tokens import TokenKind, new_token
from twofactor_server.domain import challenges as challenge_rules
from twofactor_server.domain.accounts import Account, normalise_email, normalise_password
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.first_factor_waits import Attempt
from twofactor_server.domain.first_factors import Assertion, FirstFactor, PasswordCredential
from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.domain.refusals import Reason, Refusal, invalid
from twofactor_server.domain.second_factors import Method
from twofactor_server.flows import trail
from twofactor_server.flows.challenges import ChallengeView, view
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.email_codes import send_code
from twofactor_server.flows.first_factor_waits import FirstFactorWaits
from twofactor_server.flows.identity_sign_in import identified
from twofactor_server.flows.rehashing import rehash
from twofactor_server.flows.steps import Step
from twofactor_server.storage import accounts, challenges, identities, second_factors
from twofactor_server.storage.audit import NOBODY
from twofactor_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class StartedSignIn:
    """A challenge and the token that opens it."""

    challenge_token: str = field(repr=False)
    challenge: ChallengeView


class SignIn:
    """StartSignIn."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._waits = FirstFactorWaits(deps)

    async def start(self, call: Call, given: FirstFactor, *, remember_me: bool) -> StartedSignIn:
        """Check the first factor, and open a challenge for the second."""
        if isinstance(given, PasswordCredential):
            account = await self._check_password(call, given)
            return await self._start(call, account, "password", remember_me=remember_me)
        if isinstance(given, ProviderCredential):
            account, identity = await identified(self._deps, call, given)
            return await self._start(call, account, given.first_factor, remember_me=remember_me, identity=identity)
        account = await self._check_assertion(call, given)
        return await self._start(call, account, "asserted", remember_me=remember_me)

    async def _check_password(self, call: Call, given: PasswordCredential) -> Account:
        """Unknown address, wrong password, none set: one answer, one hash, one audit event."""
        email = normalise_email(given.email, "password.email")
        password = normalise_password(given.password, "password.password")
        with self._deps.hashing.place() as place:
            account = await self._deps.database.read(partial(accounts.by_email, email=email))
            attempt = await self._waits.admit(call, email, account)
            known = account.password_hash if account else None
            argon2id = self._deps.hashing.argon2id
            job = partial(argon2id.verify, known or argon2id.decoy, password)
            right = await place.run(job, call.deadline)
            if account and known and right:
                await self._waits.forgive(call, attempt)
                await rehash(self._deps, call, place, account, password)
                return account
        refuse = partial(self._refuse, call=call, account=account, attempt=attempt)
        await self._deps.transact(call, Step.FIRST_FACTOR_REFUSED, refuse)
        raise Refusal(Reason.CREDENTIALS_MISMATCH)

    async def _check_assertion(self, call: Call, asserted: Assertion) -> Account:
        """Take a trusted caller's word for the first factor."""
        if not call.may_assert:
            raise Refusal(Reason.CALLER_NOT_ALLOWED)
        if not asserted.recent(self._deps.now()):
            raise invalid("asserted.auth_time", "at most 10 minutes ago, not in the future")
        account = await self._deps.database.read(partial(accounts.by_id, account_id=asserted.account_id))
        if account is None:
            raise Refusal(Reason.ACCOUNT_NOT_FOUND)
        return account

    async def _refuse(self, tx: Transaction, call: Call, account: Account | None, attempt: Attempt) -> None:
        now = self._deps.now()
        account_id = account.account_id if account else NOBODY
        await self._waits.count(tx, attempt, now)
        reason = Reason.CREDENTIALS_MISMATCH
        await trail.record(tx, call, account_id, "start_sign_in", reason, now, factor="password")

    async def _start(
        self,
        call: Call,
        account: Account,
        first_factor: str,
        *,
        remember_me: bool,
        identity: ProvenIdentity | None = None,
    ) -> StartedSignIn:
        token = new_token(TokenKind.CHALLENGE, account.account_id)

        async def work(tx: Transaction) -> StartedSignIn | Refusal:
            now = self._deps.now()
            factor = await second_factors.lock(tx, account.account_id)
            current = await accounts.by_id(tx, account.account_id)
            # Read again under the lock: the password that was verified may have been changed since.
            if factor is None or current is None or current.password_version != account.password_version:
                raise Refusal(Reason.CREDENTIALS_MISMATCH)
            if current.suspend_time is not None:
                suspended = Reason.FIRST_FACTOR_SUSPENDED
                await trail.record(tx, call, account.account_id, "start_sign_in", suspended, now, factor=first_factor)
                return Refusal(suspended)
            if identity and not await identities.find(tx, account.account_id, identity.issuer, identity.subject):
                raise Refusal(Reason.IDENTITY_NOT_LINKED)
            challenge = _challenge(call, current, first_factor, now, remember_me=remember_me)
            await challenges.create(tx, challenge, token.digest)
            await trail.record(
                tx, call, account.account_id, "start_sign_in", trail.SUCCESS, now, factor=first_factor,
                challenge=challenge,
            )  # fmt: skip
            if factor.method is Method.EMAIL:
                await send_code(tx, self._deps, call, challenge, None, now)
            return StartedSignIn(token.text, await view(tx, call, factor, challenge, now))

        return await self._deps.transact(call, Step.SIGN_IN_STARTED, work)


def _challenge(call: Call, account: Account, first_factor: str, now: datetime, *, remember_me: bool) -> Challenge:
    return Challenge(
        account_id=account.account_id,
        challenge_id=uuid4(),
        caller=call.caller,
        email=account.email,
        first_factor=first_factor,
        password_version=account.password_version,
        remember_me=remember_me,
        attempts=0,
        create_time=now,
        expire_time=now + challenge_rules.LIFETIME,
        complete_time=None,
        void_time=None,
    )
