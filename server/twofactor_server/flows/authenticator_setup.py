"""Turning an authenticator on, and moving it to a new phone."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from twofactor_server.crypto import totp
from twofactor_server.crypto.hashing import Replacement
from twofactor_server.crypto.keyring import Purpose
from twofactor_server.crypto.sealing import seal
from twofactor_server.crypto.tokens import Token, TokenKind, parse_token
from twofactor_server.domain import authenticator, email_codes
from twofactor_server.domain.authenticator import AuthenticatorSetup, Verdict
from twofactor_server.domain.calls import Call
from twofactor_server.domain.not_me import authenticator_changed
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows import trail
from twofactor_server.flows.authenticator_codes import unseal_secret
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.flows.ownership import Owner, lock_owner
from twofactor_server.flows.reauthentication import Charged, Reauthenticating
from twofactor_server.flows.showing import ShownBackupCode, show, shown_before
from twofactor_server.flows.steps import Step
from twofactor_server.mail.notices import AuthenticatorOn
from twofactor_server.storage import authenticator_setups, replies, second_factors, sessions
from twofactor_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class StartedSetup:
    """A setup as it is shown, once."""

    setup_id: UUID
    enrolment: totp.Enrolment
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class _Confirmation:
    """One confirmation under way."""

    call: Call
    logical: LogicalCall
    setup_id: UUID
    digits: str


class AuthenticatorSetups:
    """StartAuthenticatorSetup, ConfirmAuthenticatorSetup, CancelAuthenticatorSetup."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reauthenticating = Reauthenticating(deps)

    async def start(self, call: Call, session_token: str, given: Reauthentication) -> StartedSetup:
        """A fresh secret that changes nothing yet; an older open setup is void."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        given = given.normalised()

        async def charge(tx: Transaction) -> Charged | Refusal:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            return await self._reauthenticating.charge(tx, call, token, owner, given, now)

        with self._deps.hashing.place() as place:
            charged: Charged = await self._deps.transact(call, Step.SETUP_CHARGED, charge)
            await self._reauthenticating.judge(call, charged, place)
        return await self._deps.transact(
            call, Step.SETUP_STARTED, partial(self._start, call=call, token=token, charged=charged)
        )

    async def confirm(
        self, call: Call, session_token: str, setup_id: UUID, typed: str, request_id: UUID | None
    ) -> ShownBackupCode:
        """The app's first code: the authenticator is on, and the first backup code of it is shown."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        digits = email_codes.normalise(typed)
        logical = LogicalCall("ConfirmAuthenticatorSetup", token, request_id, f"{setup_id}\0{digits}")
        confirmation = _Confirmation(call, logical, setup_id, digits)
        with self._deps.hashing.place() as place:
            shown: ShownBackupCode | None = await self._deps.transact(
                call, Step.SETUP_CODE_JUDGED, partial(self._judge, confirmation=confirmation)
            )
            if shown:
                return shown
            replacement = await place.run(self._deps.hashing.argon2id.new_backup_code, call.deadline)
        return await self._deps.transact(
            call,
            Step.AUTHENTICATOR_ON,
            partial(self._turn_on, confirmation=confirmation, replacement=replacement),
        )

    async def cancel(self, call: Call, session_token: str, setup_id: UUID) -> None:
        """Void the setup; one that is unknown or over is void already."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")

        async def work(tx: Transaction) -> None:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            if await authenticator_setups.end(tx, token.account_id, setup_id, now):
                await trail.record(
                    tx, call, token.account_id, "cancel_authenticator_setup", trail.SUCCESS, now,
                    factor=Proof.AUTHENTICATOR, session=owner.session,
                )  # fmt: skip

        await self._deps.transact(call, Step.SETUP_CANCELLED, work)

    async def _start(self, tx: Transaction, call: Call, token: Token, charged: Charged) -> StartedSetup:
        now = self._deps.now()
        owner = await lock_owner(tx, token, now, self._deps.session_limits)
        await self._reauthenticating.confirm(tx, owner, charged)
        secret = totp.new_secret()
        setup = AuthenticatorSetup(
            setup_id=uuid4(),
            session_id=owner.session.session_id,
            totp_secret=seal(self._deps.keyring, Purpose.TOTP_SECRET, token.account_id.bytes, secret),
            attempts=0,
            expire_time=now + authenticator.SETUP_LIFETIME,
            end_time=None,
        )
        await authenticator_setups.create(tx, token.account_id, setup, now)
        await trail.record(
            tx, call, token.account_id, "start_authenticator_setup", trail.SUCCESS, now,
            factor=Proof.AUTHENTICATOR, session=owner.session,
        )  # fmt: skip
        shown = totp.enrolment(secret, self._deps.product_name, owner.session.email)
        return StartedSetup(setup.setup_id, shown, setup.expire_time)

    async def _judge(self, tx: Transaction, confirmation: _Confirmation) -> ShownBackupCode | Refusal | None:
        """None if the code proves the new secret; a wrong one is charged to the setup."""
        now = self._deps.now()
        owner = await lock_owner(tx, confirmation.logical.token, now, self._deps.session_limits)
        if shown := await self._replayed(tx, confirmation, owner, now):
            return shown
        setup = await self._open_setup(tx, confirmation, owner, now)
        step = await self._step(tx, confirmation, owner, setup, now)
        return step if isinstance(step, Refusal) else None

    async def _step(
        self, tx: Transaction, confirmation: _Confirmation, owner: Owner, setup: AuthenticatorSetup, now: datetime
    ) -> int | Refusal:
        """The step that proves the new secret, or the refusal to return."""
        secret = unseal_secret(self._deps.keyring, owner.factor.account_id, setup.totp_secret)
        codes = totp.codes_at(secret, authenticator.steps_around(now))
        verdict, step = authenticator.judge(confirmation.digits, codes, last_step=None)
        if verdict is Verdict.RIGHT:
            return step
        left = await authenticator_setups.charge_attempt(tx, owner.factor.account_id, setup.setup_id)
        if left is None:
            raise Refusal(Reason.SETUP_EXPIRED)
        await self._record(tx, confirmation, owner, Reason.CODE_MISMATCH, now)
        return Refusal(Reason.CODE_MISMATCH, attempts_left=left)

    async def _turn_on(
        self, tx: Transaction, confirmation: _Confirmation, replacement: Replacement
    ) -> ShownBackupCode | Refusal:
        now = self._deps.now()
        owner = await lock_owner(tx, confirmation.logical.token, now, self._deps.session_limits)
        if shown := await self._replayed(tx, confirmation, owner, now):
            return shown
        setup = await self._open_setup(tx, confirmation, owner, now)
        # Judged again: a retry may have been refused since, and what was refused must not come true after all.
        step = await self._step(tx, confirmation, owner, setup, now)
        if isinstance(step, Refusal):
            return step
        account_id = owner.factor.account_id
        generation = owner.factor.generation + 1
        await second_factors.turn_on_authenticator(
            tx, account_id, generation=owner.factor.generation, secret=setup.totp_secret, step=step,
            code_hash=replacement.code_hash, now=now,
        )  # fmt: skip
        await authenticator_setups.end(tx, account_id, setup.setup_id, now)
        await sessions.prove(tx, owner.session, Proof.AUTHENTICATOR, now)
        await replies.erase_superseded(tx, account_id, generation)
        await self._record(tx, confirmation, owner, trail.SUCCESS, now)
        notice = AuthenticatorOn(
            **trail.told(owner.session.email, confirmation.call, now),
            replaced=owner.factor.method is Method.AUTHENTICATOR,
        )
        undoing = authenticator_changed(owner.factor, generation, setup.totp_secret)
        await trail.post_undoable(tx, self._deps, account_id, notice, totp_secret=owner.factor.totp_secret, **undoing)
        return await show(tx, self._deps, confirmation.logical, owner, replacement, generation, now)

    async def _replayed(
        self, tx: Transaction, confirmation: _Confirmation, owner: Owner, now: datetime
    ) -> ShownBackupCode | None:
        return await shown_before(tx, self._deps, confirmation.call, confirmation.logical, owner, now)

    async def _open_setup(
        self, tx: Transaction, confirmation: _Confirmation, owner: Owner, now: datetime
    ) -> AuthenticatorSetup:
        """The setup, if it is still open and this session began it: it proved the password for it."""
        setup = await authenticator_setups.find(tx, owner.factor.account_id, confirmation.setup_id)
        if setup is None or not setup.open(now) or setup.session_id != owner.session.session_id:
            raise Refusal(Reason.SETUP_EXPIRED)
        return setup

    async def _record(
        self, tx: Transaction, confirmation: _Confirmation, owner: Owner, outcome: str, now: datetime
    ) -> None:
        await trail.record(
            tx, confirmation.call, owner.factor.account_id, "confirm_authenticator_setup", outcome, now,
            factor=Proof.AUTHENTICATOR, session=owner.session,
        )  # fmt: skip
