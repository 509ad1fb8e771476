"""Re-authentication, in three steps around a change:

    outcome = await charge_reauthentication(uow, token, locked, given)       # first transaction
    verified = await verify_reauthentication(deps, call, unwrap(outcome), slot)   # no transaction
    await confirm_reauthentication(uow, locked, verified)                    # transaction of the change

The charge is committed before the password is verified, on a counter of the session's own. The same password in the
same session is one attempt, so an honest retry after a crash costs nothing; five distinct wrong ones end the session.
What is stored of a password is keyed by the session's token, which the server does not keep.
"""

import hmac
from dataclasses import dataclass, field
from functools import partial

from twofactor_server.crypto.hashing import Slot
from twofactor_server.crypto.sealing import content_fingerprint
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.domain.limits import REAUTHENTICATION_ATTEMPTS
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import CommittedRefusal, Reason, Refusal, refuse_committed
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows.authenticator_verification import verify_authenticator_code
from twofactor_server.flows.session_lock import LockedSession, lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.storage import accounts, identities, reauthentication_attempts, replies, sessions

_NO_PASSWORD_VERSION = -1
"""In place of a password's version, where it was an authenticator code that was wrong."""


@dataclass(frozen=True, slots=True)
class ChargedReauthentication:
    """A charged re-authentication, and the account's state that it is verified against.

    ``totp_secret``, sealed, identifies the authenticator that was active.
    """

    token: Token
    given: Reauthentication
    fingerprint: bytes
    password_hash: str = field(repr=False)
    has_password: bool
    password_version: int
    totp_secret: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedReauthentication:
    """A right re-authentication. ``identity``: what the provider answered, if one was asked."""

    charged: ChargedReauthentication
    identity: ProvenIdentity | None

    @property
    def password_version(self) -> int:
        """The version of the password that was in effect when the re-authentication was charged."""
        return self.charged.password_version


async def charge_reauthentication(
    uow: UnitOfWork, token: Token, locked: LockedSession, given: Reauthentication
) -> ChargedReauthentication | CommittedRefusal:
    """Check what can be checked under the lock, and charge what has to be verified."""
    given.check_well_formed()
    given.check_assertion(token.account_id, uow.now, may_assert=uow.call.may_assert)
    if not given.has_first_factor:
        raise Refusal(Reason.REAUTHENTICATION_REQUIRED)
    account = await accounts.find(uow.tx, token.account_id)
    if account is None:
        raise Refusal(Reason.SESSION_ENDED)
    charged = ChargedReauthentication(
        token=token,
        given=given,
        fingerprint=content_fingerprint(token, f"reauthentication\0{_guess(given)}".encode()),
        password_hash=account.password_hash or uow.deps.hashing.argon2id.decoy,
        has_password=account.password_hash is not None,
        password_version=account.password_version,
        totp_secret=locked.factor.totp_secret,
    )
    refusal = await _check_second_factor(uow, token, locked, given)
    if refusal is None and given.asserted is None:
        refusal = await _charge_guess(uow, locked, charged)
    return refusal or charged


async def verify_reauthentication(
    deps: Dependencies, call: Call, charged: ChargedReauthentication, slot: Slot
) -> VerifiedReauthentication:
    """Verify what was charged, outside any transaction. Wrong: REAUTHENTICATION_FAILED; the fifth ends the session.

    A provider that cannot be reached: DEPENDENCY_UNAVAILABLE, and the charge is cancelled.
    """
    given = charged.given
    if given.provider is not None:
        identity = await _verify_identity(deps, call, charged, given.provider)
        return VerifiedReauthentication(charged, identity)
    if given.password is not None:
        job = partial(deps.hashing.argon2id.verify, charged.password_hash, given.password)
        right = await slot.run(job, call.deadline, key="reauthentication")
        if not (right and charged.has_password):
            await _record_failure(deps, call, charged)
            raise Refusal(Reason.REAUTHENTICATION_FAILED)
    return VerifiedReauthentication(charged, None)


async def confirm_reauthentication(uow: UnitOfWork, locked: LockedSession, verified: VerifiedReauthentication) -> None:
    """Under the lock of the change: the password and the identity are still those that were verified. The count of
    wrong re-authentications starts again."""
    account = await accounts.find(uow.tx, verified.charged.token.account_id)
    if account is None or account.password_version != verified.password_version:
        raise Refusal(Reason.REAUTHENTICATION_FAILED)
    identity = verified.identity
    if identity and not await identities.find(uow.tx, account.account_id, identity.issuer, identity.subject):
        raise Refusal(Reason.REAUTHENTICATION_FAILED)
    if not locked.session.passed(locked.factor.method):
        raise Refusal(Reason.REAUTHENTICATION_REQUIRED)
    await reauthentication_attempts.clear(uow.tx, locked.session)


def check_same_authenticator(locked: LockedSession, verified: VerifiedReauthentication) -> None:
    """Refuse (CONFLICT) to change another authenticator than the one that was active when the call began.

    A slow attempt can come this late: its retry was answered, and another authenticator has been set up since.
    """
    if not hmac.compare_digest(locked.factor.totp_secret or b"", verified.charged.totp_secret or b""):
        raise Refusal(Reason.CONFLICT)


async def cancel_charge(uow: UnitOfWork, locked: LockedSession, charged: ChargedReauthentication) -> None:
    """Take the charge back, where something other than the owner's proof has failed."""
    await reauthentication_attempts.cancel(uow.tx, locked.session, charged.fingerprint)


async def _charge_guess(
    uow: UnitOfWork, locked: LockedSession, charged: ChargedReauthentication
) -> CommittedRefusal | None:
    session = locked.session
    verdict = await reauthentication_attempts.find_verdict(
        uow.tx, session, charged.fingerprint, charged.password_version
    )
    if verdict == "wrong":
        return refuse_committed(Reason.REAUTHENTICATION_FAILED)
    if verdict is None:
        if await reauthentication_attempts.count(uow.tx, session) >= REAUTHENTICATION_ATTEMPTS:
            await _end_session(uow, locked)
            return refuse_committed(Reason.SESSION_ENDED)
        await reauthentication_attempts.charge(uow.tx, session, charged.fingerprint, charged.password_version)
    return None


async def _check_second_factor(
    uow: UnitOfWork, token: Token, locked: LockedSession, given: Reauthentication
) -> CommittedRefusal | None:
    """Require an authenticator code where the session's own second factor is not enough: it is weaker than the active
    one, or the first factor is not a password and the second factor was not proved recently."""
    session, factor = locked.session, locked.factor
    if session.passed(factor.method) and (given.password is not None or session.proved_recently(uow.now)):
        return None
    if given.authenticator_code is None or factor.method is not Method.AUTHENTICATOR:
        return refuse_committed(Reason.REAUTHENTICATION_REQUIRED)
    refusal = await verify_authenticator_code(uow, factor, given.authenticator_code)
    if refusal is None:
        await sessions.set_proof(uow.tx, session, Proof.AUTHENTICATOR, uow.now)
        return None
    await uow.audit(factor.account_id, "reauthenticate", refusal.reason, factor=Proof.AUTHENTICATOR, session=session)
    return await _count_wrong_code(uow, token, locked, given.authenticator_code)


async def _count_wrong_code(uow: UnitOfWork, token: Token, locked: LockedSession, digits: str) -> CommittedRefusal:
    """A wrong authenticator code is a wrong re-authentication, as a wrong password is. It is verified already."""
    fingerprint = content_fingerprint(token, f"reauthentication code\0{digits}".encode())
    await reauthentication_attempts.charge(uow.tx, locked.session, fingerprint, _NO_PASSWORD_VERSION)
    await reauthentication_attempts.mark_wrong(uow.tx, locked.session, fingerprint)
    await _end_session_if_spent(uow, locked)
    return refuse_committed(Reason.REAUTHENTICATION_FAILED)


async def _verify_identity(
    deps: Dependencies, call: Call, charged: ChargedReauthentication, credential: ProviderCredential
) -> ProvenIdentity:
    try:
        # The exchange may take seconds. Others use the hashing slot meanwhile, so that a provider's outage does not
        # keep everyone from signing in with a password.
        with deps.hashing.release_temporarily():
            identity = await deps.providers.exchange(credential, call.deadline)
        async with deps.database.reading() as tx:
            linked = await identities.find(tx, charged.token.account_id, identity.issuer, identity.subject)
    except Refusal as refusal:
        if refusal.reason is not Reason.CREDENTIALS_MISMATCH:
            await _cancel(deps, call, charged)
            raise
        linked = None
    if linked is None:
        await _record_failure(deps, call, charged)
        raise Refusal(Reason.REAUTHENTICATION_FAILED)
    return identity


async def _record_failure(deps: Dependencies, call: Call, charged: ChargedReauthentication) -> None:
    async with deps.unit_of_work(call, TransactionName.REAUTHENTICATION_REFUSED) as uow:
        locked = await lock_session(uow, charged.token)
        await reauthentication_attempts.mark_wrong(uow.tx, locked.session, charged.fingerprint)
        await uow.audit(
            charged.token.account_id, "reauthenticate", Reason.REAUTHENTICATION_FAILED,
            factor=charged.given.first_factor, session=locked.session,
        )  # fmt: skip
        await _end_session_if_spent(uow, locked)


async def _cancel(deps: Dependencies, call: Call, charged: ChargedReauthentication) -> None:
    async with deps.unit_of_work(call, TransactionName.REAUTHENTICATION_CANCELLED) as uow:
        await cancel_charge(uow, await lock_session(uow, charged.token), charged)


async def _end_session_if_spent(uow: UnitOfWork, locked: LockedSession) -> None:
    if await reauthentication_attempts.count_wrong(uow.tx, locked.session) >= REAUTHENTICATION_ATTEMPTS:
        await _end_session(uow, locked)


async def _end_session(uow: UnitOfWork, locked: LockedSession) -> None:
    await sessions.end(uow.tx, locked.session, uow.now)
    await replies.erase_for_session(uow.tx, locked.session.account_id, locked.session.session_id)


def _guess(given: Reauthentication) -> str:
    """What counts as one attempt, however often it is sent."""
    if given.provider is None:
        return given.password or ""
    return f"{given.provider.provider}\0{given.provider.authorization_code}"
