"""Re-authentication, in three steps that a changing flow takes in order: charge, judge, confirm.

The charge is committed before the password is judged, on a counter of the session's own. One password tried again
in one session is one attempt, so an honest retry after a crash costs nothing; five distinct wrong ones end the
session. What is remembered of a password is keyed by the session's token, which the server does not keep.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from twofactor_server.crypto.hashing import Place
from twofactor_server.crypto.sealing import content_fingerprint
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.domain.sessions import REAUTHENTICATION_ATTEMPTS
from twofactor_server.flows import authenticator_codes, trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.ownership import Owner, lock_owner
from twofactor_server.flows.steps import Step
from twofactor_server.storage import accounts, replies, sessions
from twofactor_server.storage.database import Transaction

_OF_CODE = -1
"""Stands for a password's version where it was a code that was wrong."""


@dataclass(frozen=True, slots=True)
class Charged:
    """A charged re-authentication. ``password`` None: an assertion, which needs no judging."""

    token: Token
    fingerprint: bytes
    password: str | None = field(repr=False)
    password_hash: str = field(repr=False)
    has_password: bool
    password_version: int


class Reauthenticating:
    """What StartAuthenticatorSetup, RegenerateBackupCode and RemoveAuthenticator share."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def charge(
        self, tx: Transaction, call: Call, token: Token, owner: Owner, given: Reauthentication, now: datetime
    ) -> Charged | Refusal:
        """Check what can be checked under the lock, and charge the password; ``given`` is in normal form. A returned
        refusal is to be committed."""
        given.check_assertion(token.account_id, now, may_assert=call.may_assert)
        if given.password is None and given.asserted is None:
            raise Refusal(Reason.REAUTHENTICATION_REQUIRED)
        account = await accounts.by_id(tx, token.account_id)
        if account is None:
            raise Refusal(Reason.SESSION_ENDED)
        charged = Charged(
            token=token,
            fingerprint=content_fingerprint(token, f"reauthentication\0{given.password or ''}".encode()),
            password=given.password,
            password_hash=account.password_hash or self._deps.hashing.argon2id.decoy,
            has_password=account.password_hash is not None,
            password_version=account.password_version,
        )
        refusal = await self._step_up(tx, call, token, owner, given, now)
        if refusal is None and charged.password is not None:
            refusal = await self._charge_password(tx, owner, charged, now)
        return refusal or charged

    async def judge(self, call: Call, charged: Charged, place: Place) -> None:
        """Verify the password, outside any transaction. Wrong: REAUTHENTICATION_FAILED; the fifth ends the session."""
        if charged.password is None:
            return
        job = partial(self._deps.hashing.argon2id.verify, charged.password_hash, charged.password)
        right = await place.run(job, call.deadline, key="reauthentication")
        if not (right and charged.has_password):
            await self._deps.transact(
                call, Step.REAUTHENTICATION_REFUSED, partial(self._refuse, call=call, charged=charged)
            )

    async def confirm(self, tx: Transaction, owner: Owner, charged: Charged) -> None:
        """Under the lock of the change: the password is still the one that was verified; wrong tries are forgiven."""
        account = await accounts.by_id(tx, charged.token.account_id)
        if account is None or account.password_version != charged.password_version:
            raise Refusal(Reason.REAUTHENTICATION_FAILED)
        if not owner.session.passed(owner.factor.method):
            raise Refusal(Reason.REAUTHENTICATION_REQUIRED)
        await sessions.clear_reauthentications(tx, owner.session)

    async def _charge_password(self, tx: Transaction, owner: Owner, charged: Charged, now: datetime) -> Refusal | None:
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
            factor="password", session=owner.session,
        )  # fmt: skip
        if await sessions.count_wrong_reauthentications(tx, owner.session) >= REAUTHENTICATION_ATTEMPTS:
            await self._end(tx, owner, now)
        return Refusal(Reason.REAUTHENTICATION_FAILED)

    async def _step_up(
        self, tx: Transaction, call: Call, token: Token, owner: Owner, given: Reauthentication, now: datetime
    ) -> Refusal | None:
        """A second factor of now, where the session's own does not do: it is older than the authenticator, or the
        first factor was not proved by a password and it is not fresh."""
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
