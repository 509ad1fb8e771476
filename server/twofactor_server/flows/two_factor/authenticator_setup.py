"""StartAuthenticatorSetup, ConfirmAuthenticatorSetup and CancelAuthenticatorSetup: a first app, or a new phone."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID, uuid4

from twofactor_server.crypto import totp
from twofactor_server.crypto.hashing import NewBackupCode
from twofactor_server.crypto.keyring import KeyPurpose
from twofactor_server.crypto.sealing import seal
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain import authenticator, limits
from twofactor_server.domain.authenticator import AuthenticatorSetup, Verdict
from twofactor_server.domain.calls import Call
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import CommittedRefusal, Reason, Refusal, refuse_committed, unwrap
from twofactor_server.domain.revert import authenticator_change
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows.authenticator_verification import unseal_secret
from twofactor_server.flows.idempotency import (
    BackupCodeResult,
    IdempotentRequest,
    find_backup_code,
    store_backup_code,
)
from twofactor_server.flows.reauthentication import (
    charge_reauthentication,
    confirm_reauthentication,
    verify_reauthentication,
)
from twofactor_server.flows.session_lock import LockedSession, lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import SUCCESS, Dependencies, UnitOfWork
from twofactor_server.mail.notices import AuthenticatorOn
from twofactor_server.storage import authenticator_setups, replies, second_factors, sessions


@dataclass(frozen=True, slots=True)
class StartedSetup:
    """A setup as it is shown, once."""

    setup_id: UUID
    enrolment: totp.Enrolment
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class _Confirmation:
    request: IdempotentRequest
    setup_id: UUID
    digits: str = field(repr=False)


class AuthenticatorSetups:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def start(self, call: Call, token: Token, given: Reauthentication) -> StartedSetup:
        """Make a new secret, which changes nothing yet. An open setup from before becomes void."""
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.SETUP_CHARGED) as uow:
                locked = await lock_session(uow, token)
                outcome = await charge_reauthentication(uow, token, locked, given)
            verified = await verify_reauthentication(self._deps, call, unwrap(outcome), slot)
        async with self._deps.unit_of_work(call, TransactionName.SETUP_STARTED) as uow:
            locked = await lock_session(uow, token)
            await confirm_reauthentication(uow, locked, verified)
            return await self._create(uow, locked)

    async def confirm(
        self, call: Call, token: Token, setup_id: UUID, digits: str, request_id: UUID | None
    ) -> BackupCodeResult:
        """Turn the authenticator on with the app's first code; the answer shows its first backup code."""
        request = IdempotentRequest("ConfirmAuthenticatorSetup", token, request_id, f"{setup_id}\0{digits}")
        confirmation = _Confirmation(request, setup_id, digits)
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.SETUP_CODE_VERIFIED) as uow:
                outcome = await self._check(uow, confirmation)
            if isinstance(outcome, BackupCodeResult):
                return outcome
            unwrap(outcome)
            new_code = await slot.run(self._deps.hashing.argon2id.new_backup_code, call.deadline)
        async with self._deps.unit_of_work(call, TransactionName.AUTHENTICATOR_ON) as uow:
            answer = await self._turn_on(uow, confirmation, new_code)
        return unwrap(answer)

    async def cancel(self, call: Call, token: Token, setup_id: UUID) -> None:
        """Void the setup. No effect on an unknown or ended one."""
        async with self._deps.unit_of_work(call, TransactionName.SETUP_CANCELLED) as uow:
            locked = await lock_session(uow, token)
            if await authenticator_setups.end(uow.tx, token.account_id, setup_id, uow.now):
                await self._audit(uow, locked, "cancel_authenticator_setup")

    async def _create(self, uow: UnitOfWork, locked: LockedSession) -> StartedSetup:
        account_id = locked.session.account_id
        secret = totp.new_secret()
        setup = AuthenticatorSetup(
            setup_id=uuid4(),
            session_id=locked.session.session_id,
            totp_secret=seal(self._deps.keyring, KeyPurpose.TOTP_SECRET, account_id.bytes, secret),
            attempts=0,
            expire_time=uow.now + limits.SETUP_LIFETIME,
            end_time=None,
        )
        await authenticator_setups.create(uow.tx, account_id, setup, uow.now)
        await self._audit(uow, locked, "start_authenticator_setup")
        enrolment = totp.enrolment(secret, self._deps.product_name, locked.session.email)
        return StartedSetup(setup.setup_id, enrolment, setup.expire_time)

    async def _check(self, uow: UnitOfWork, confirmation: _Confirmation) -> BackupCodeResult | CommittedRefusal | None:
        """The first transaction: None if the code proves the new secret; a wrong code is charged to the setup."""
        locked = await lock_session(uow, confirmation.request.token)
        if shown := await find_backup_code(uow, confirmation.request, locked.session):
            return shown
        setup = await self._open_setup(uow, confirmation, locked)
        step = await self._verify(uow, confirmation, locked, setup)
        return step if isinstance(step, CommittedRefusal) else None

    async def _turn_on(
        self, uow: UnitOfWork, confirmation: _Confirmation, new_code: NewBackupCode
    ) -> BackupCodeResult | CommittedRefusal:
        """The second transaction: verify again, then switch to the new secret and backup code."""
        locked = await lock_session(uow, confirmation.request.token)
        if shown := await find_backup_code(uow, confirmation.request, locked.session):
            return shown
        setup = await self._open_setup(uow, confirmation, locked)
        # Verified again: a retry may have been refused since, and a refused code must not succeed after all.
        step = await self._verify(uow, confirmation, locked, setup)
        if isinstance(step, CommittedRefusal):
            return step
        factor, account_id = locked.factor, locked.session.account_id
        await second_factors.turn_on_authenticator(
            uow.tx, account_id, generation=factor.generation, secret=setup.totp_secret, step=step,
            code_hash=new_code.code_hash, now=uow.now,
        )  # fmt: skip
        generation = factor.generation + 1
        await authenticator_setups.end(uow.tx, account_id, setup.setup_id, uow.now)
        await sessions.set_proof(uow.tx, locked.session, Proof.AUTHENTICATOR, uow.now)
        await replies.erase_superseded(uow.tx, account_id, generation)
        await self._audit(uow, locked, "confirm_authenticator_setup")
        notice = AuthenticatorOn(
            **uow.notice_context(locked.session.email), replaced=factor.method is Method.AUTHENTICATOR
        )
        change = authenticator_change(factor, generation, setup.totp_secret)
        await uow.notify_with_undo_link(account_id, notice, totp_secret=factor.totp_secret, **change)
        return await store_backup_code(uow, confirmation.request, locked.session, new_code, generation)

    async def _verify(
        self, uow: UnitOfWork, confirmation: _Confirmation, locked: LockedSession, setup: AuthenticatorSetup
    ) -> int | CommittedRefusal:
        """The time step that proves the new secret, or the refusal."""
        account_id = locked.session.account_id
        secret = unseal_secret(self._deps.keyring, account_id, setup.totp_secret)
        codes = totp.codes_at(secret, authenticator.steps_around(uow.now))
        verdict, step = authenticator.verify(confirmation.digits, codes, last_step=None)
        if verdict is Verdict.RIGHT:
            return step
        left = await authenticator_setups.charge_attempt(uow.tx, account_id, setup.setup_id)
        if left is None:
            raise Refusal(Reason.SETUP_EXPIRED)
        await self._audit(uow, locked, "confirm_authenticator_setup", Reason.CODE_MISMATCH)
        return refuse_committed(Reason.CODE_MISMATCH, attempts_left=left)

    async def _open_setup(
        self, uow: UnitOfWork, confirmation: _Confirmation, locked: LockedSession
    ) -> AuthenticatorSetup:
        """The setup, if it is open and was started in this session, which re-authenticated for it."""
        setup = await authenticator_setups.find(uow.tx, locked.session.account_id, confirmation.setup_id)
        if setup is None or not setup.open(uow.now) or setup.session_id != locked.session.session_id:
            raise Refusal(Reason.SETUP_EXPIRED)
        return setup

    async def _audit(self, uow: UnitOfWork, locked: LockedSession, action: str, outcome: str = SUCCESS) -> None:
        await uow.audit(locked.session.account_id, action, outcome, factor=Proof.AUTHENTICATOR, session=locked.session)
