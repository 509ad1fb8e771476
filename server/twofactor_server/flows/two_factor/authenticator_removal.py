"""RemoveAuthenticator: the account returns to e-mail codes at once, and its backup code is deleted."""

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import unwrap
from twofactor_server.domain.revert import authenticator_change
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows.reauthentication import (
    charge_reauthentication,
    check_same_authenticator,
    confirm_reauthentication,
    verify_reauthentication,
)
from twofactor_server.flows.session_lock import LockedSession, lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.mail.notices import AuthenticatorOff
from twofactor_server.storage import authenticator_setups, replies, second_factors


class AuthenticatorRemoval:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def remove(self, call: Call, token: Token, given: Reauthentication) -> None:
        """Turn the authenticator off. On e-mail codes already: no effect and no e-mail. If another authenticator was
        set up meanwhile: CONFLICT, and it stays."""
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.REMOVAL_CHARGED) as uow:
                locked = await lock_session(uow, token)
                if locked.factor.method is Method.EMAIL:
                    return
                outcome = await charge_reauthentication(uow, token, locked, given)
            verified = await verify_reauthentication(self._deps, call, unwrap(outcome), slot)
        async with self._deps.unit_of_work(call, TransactionName.AUTHENTICATOR_OFF) as uow:
            locked = await lock_session(uow, token)
            if locked.factor.method is Method.EMAIL:
                return
            await confirm_reauthentication(uow, locked, verified)
            check_same_authenticator(locked, verified)
            await self._turn_off(uow, locked)

    async def _turn_off(self, uow: UnitOfWork, locked: LockedSession) -> None:
        factor, session = locked.factor, locked.session
        account_id, generation = factor.account_id, factor.generation
        await second_factors.turn_off_authenticator(uow.tx, account_id, generation)
        await authenticator_setups.end_all(uow.tx, account_id, uow.now)
        await replies.erase_superseded(uow.tx, account_id, generation + 1)
        await uow.audit(account_id, "remove_authenticator", factor=Proof.AUTHENTICATOR, session=session)
        notice = AuthenticatorOff(**uow.notice_context(session.email))
        change = authenticator_change(factor, generation, None)
        await uow.notify_with_undo_link(account_id, notice, totp_secret=factor.totp_secret, **change)
