"""Re-authentication, in three steps that a changing flow takes in order: charge, judge, confirm.

The charge is committed before the password is judged, on a counter of the session's own. One password tried again
in one session is one attempt, so an honest retry after a crash costs nothing; five distinct wrong ones end the
session. What is remembered of a password is keyed by the session's token, which the server does not keep.
"""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from twofactor_server.crypto.hashing import Place
from twofactor_server.crypto.sealing import content_fingerprint
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.domain.sessions import REAUTHENTICATION_ATTEMPTS
from twofactor_server.flows import authenticator_codes, trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.ownership import Owner, lock_owner
from twofactor_server.flows.steps import Step
from twofactor_server.storage import accounts, identities, replies, sessions
from twofactor_server.storage.database import Transaction

_OF_CODE = -1
"""Stands for a password's version where it was a code that was wrong."""


@dataclass(slots=True)
class Charged:
    """A charged re-authentication: a password, a provider's sign-in, or an assertion, which needs no judging.

    ``totp_secret``, sealed, tells the authenticator that was on from a later one. ``identity`` is what the provider
    said; ``judge`` puts it here for ``confirm``.
    """

    token: Token
    fingerprint: bytes
    password: str | None = field(repr=False)
    credential: ProviderCredential | None
    password_hash: str = field(repr=False)
    has_password: bool
    password_version: int
    totp_secret: bytes | None = field(repr=False)
    identity: ProvenIdentity | None = None


class Reauthenticating:
    """What all changes of a signed-in owner share."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def charge(
        self, tx: Transaction, call: Call, token: Token, owner: Owner, given: Reauthentication, now: datetime
    ) -> Charged | Refusal:
        """Check what can be checked under the lock, and charge what is to be judged; ``given`` is in normal form. A
        returned refusal is to be committed."""
        given.check_assertion(token.account_id, now, may_assert=call.may_assert)
        if given.provider is not None:
            self._deps.providers.check(given.provider)
        elif given.password is None and given.asserted is None:
            raise Refusal(Reason.REAUTHENTICATION_REQUIRED)
        account = await accounts.by_id(tx, token.account_id)
        if account is None:
            raise Refusal(Reason.SESSION_ENDED)
        charged = Charged(
            token=token,
            fingerprint=content_fingerprint(token, f"reauthentication\0{_guess(given)}".encode()),
            password=given.password,
            credential=given.provider,
            password_hash=account.password_hash or self._deps.hashing.argon2id.decoy,
            has_password=account.password_hash is not None,
            password_version=account.password_version,
            totp_secret=owner.factor.totp_secret,
        )
        refusal = await self._step_up(tx, call, token, owner, given, now)
        if refusal is None and given.asserted is None:
            refusal = await self._charge_guess(tx, owner, charged, now)
        return refusal or charged

    async def judge(self, call: Call, charged: Charged, place: Place) -> None:
        """Verify what was charged, outside any transaction. Wrong: REAUTHENTICATION_FAILED; the fifth ends the session.

        A provider that cannot be asked: DEPENDENCY_UNAVAILABLE, and nothing is charged after all.
        """
        if charged.credential is not None:
            await self._judge_identity(call, charged, charged.credential)
        if charged.password is None:
            return
        job = partial(self._deps.hashing.argon2id.verify, charged.password_hash, charged.password)
        right = await place.run(job, call.deadline, key="reauthentication")
        if not (right and charged.has_password):
            await self._deps.transact(
                call, Step.REAUTHENTICATION_REFUSED, partial(self._refuse, call=call, charged=charged)
            )

    async def withdraw(self, tx: Transaction, owner: Owner, charged: Charged) -> None:
        """Take the charge back, where something else than the owner's proof has failed."""
        await sessions.withdraw_reauthentication(tx, owner.session, charged.fingerprint)

    async def _judge_identity(self, call: Call, charged: Charged, credential: ProviderCredential) -> None:
        try:
            # Seconds may pass: the place in the hashing queue is for others meanwhile, or a provider's outage would
            # keep everybody from signing in with a password.
            with self._deps.hashing.lent():
                identity = await self._deps.providers.exchange(credential, call.deadline)
            find = partial(
                identities.find, account_id=charged.token.account_id, issuer=identity.issuer, subject=identity.subject
            )
            linked = await self._deps.database.read(find)
        except Refusal as refusal:
            if refusal.reason is not Reason.CREDENTIALS_MISMATCH:
                await self._deps.transact(
                    call, Step.REAUTHENTICATION_WITHDRAWN, partial(self._withdraw, charged=charged)
                )
                raise
            linked = None
        if linked is None:
            await self._deps.transact(
                call, Step.REAUTHENTICATION_REFUSED, partial(self._refuse, call=call, charged=charged)
            )
        charged.identity = identity

    async def confirm(self, tx: Transaction, owner: Owner, charged: Charged) -> None:
        """Under the lock of the change: the password is still the one that was verified, the identity still linked;
        wrong tries are forgiven."""
        account = await accounts.by_id(tx, charged.token.account_id)
        if account is None or account.password_version != charged.password_version:
            raise Refusal(Reason.REAUTHENTICATION_FAILED)
        if charged.credential is not None:
            proven = charged.identity
            if proven is None or not await identities.find(tx, account.account_id, proven.issuer, proven.subject):
                raise Refusal(Reason.REAUTHENTICATION_FAILED)
        if not owner.session.passed(owner.factor.method):
            raise Refusal(Reason.REAUTHENTICATION_REQUIRED)
        await sessions.clear_reauthentications(tx, owner.session)

    async def confirm_for_same(self, tx: Transaction, owner: Owner, charged: Charged) -> None:
        """``confirm`` for what is done to the authenticator that was on when it was asked for; a later one is not the
        one meant: CONFLICT. A try may come as late as that: its retry was answered, and another one set up since."""
        await self.confirm(tx, owner, charged)
        if not hmac.compare_digest(owner.factor.totp_secret or b"", charged.totp_secret or b""):
            raise Refusal(Reason.CONFLICT)

    async def _charge_guess(self, tx: Transaction, owner: Owner, charged: Charged, now: datetime) -> Refusal | None:
        verdict = await sessions.reauthentication_verdict(
            tx, owner.session, charged.fingerprint, charged.password_version
        )
        if verdict == "wrong":
            return Refusal(Reason.REAUTHENTICATION_FAILED)
        if verdict is None:
            if await sessions.count_reauthentications(tx, owner.session) >= REAUTHENTICATION_ATTEMPTS:
                await self._end(tx, owner, now)
                return Refusal(Reason.SESSION_ENDED)
            await sessions.charge_reauthentication(tx, owner.session, charged.fingerprint, charged.password_version)
        return None

    async def _refuse(self, tx: Transaction, call: Call, charged: Charged) -> Refusal:
        now = self._deps.now()
        owner = await lock_owner(tx, charged.token, now, self._deps.session_limits)
        await sessions.refuse_reauthentication(tx, owner.session, charged.fingerprint)
        await trail.record(
            tx, call, charged.token.account_id, "reauthenticate", Reason.REAUTHENTICATION_FAILED, now,
            factor=charged.credential.first_factor if charged.credential else "password", session=owner.session,
        )  # fmt: skip
        if await sessions.count_wrong_reauthentications(tx, owner.session) >= REAUTHENTICATION_ATTEMPTS:
            await self._end(tx, owner, now)
        return Refusal(Reason.REAUTHENTICATION_FAILED)

    async def _withdraw(self, tx: Transaction, charged: Charged) -> None:
        owner = await lock_owner(tx, charged.token, self._deps.now(), self._deps.session_limits)
        await self.withdraw(tx, owner, charged)

    async def _step_up(
        self, tx: Transaction, call: Call, token: Token, owner: Owner, given: Reauthentication, now: datetime
    ) -> Refusal | None:
        """A second factor of now, where the session's own does not do: it is older than the authenticator, or the
        first factor is not proved by a password now and it is not fresh."""
        session, factor = owner.session, owner.factor
        enough = session.passed(factor.method) and (given.password is not None or session.fresh(now))
        if enough:
            return None
        if given.authenticator_code is None or factor.method is not Method.AUTHENTICATOR:
            return Refusal(Reason.REAUTHENTICATION_REQUIRED)
        refusal = await authenticator_codes.judge(tx, self._deps, factor, given.authenticator_code, now)
        if refusal is None:
            await sessions.prove(tx, session, Proof.AUTHENTICATOR, now)
            return None
        await trail.record(
            tx, call, factor.account_id, "reauthenticate", refusal.reason, now, factor=Proof.AUTHENTICATOR,
            session=session,
        )  # fmt: skip
        return await self._count_wrong_code(tx, token, owner, given.authenticator_code, now)

    async def _count_wrong_code(
        self, tx: Transaction, token: Token, owner: Owner, digits: str, now: datetime
    ) -> Refusal:
        """A wrong code is a wrong re-authentication, as a wrong password is; it has been judged already."""
        fingerprint = content_fingerprint(token, f"reauthentication code\0{digits}".encode())
        await sessions.charge_reauthentication(tx, owner.session, fingerprint, _OF_CODE)
        await sessions.refuse_reauthentication(tx, owner.session, fingerprint)
        if await sessions.count_wrong_reauthentications(tx, owner.session) >= REAUTHENTICATION_ATTEMPTS:
            await self._end(tx, owner, now)
        return Refusal(Reason.REAUTHENTICATION_FAILED)

    async def _end(self, tx: Transaction, owner: Owner, now: datetime) -> None:
        await sessions.end(tx, owner.session, now)
        await replies.erase_of_session(tx, owner.session.account_id, owner.session.session_id)


def _guess(given: Reauthentication) -> str:
    """What is charged once, however often it is sent."""
    if given.provider is None:
        return given.password or ""
    return f"{given.provider.provider}\0{given.provider.authorization_code}"
