"""RegenerateBackupCode: the old backup code becomes invalid, and a new one is shown once."""

from uuid import UUID

from twofactor_server.crypto.hashing import NewBackupCode
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import unwrap
from twofactor_server.domain.revert import backup_code_change
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows.challenge import check_method
from twofactor_server.flows.idempotency import (
    BackupCodeResult,
    IdempotentRequest,
    find_backup_code,
    store_backup_code,
)
from twofactor_server.flows.reauthentication import (
    charge_reauthentication,
    check_same_authenticator,
    confirm_reauthentication,
    verify_reauthentication,
)
from twofactor_server.flows.session_lock import LockedSession, lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.mail.notices import BackupCodeRegenerated
from twofactor_server.storage import replies, second_factors


class Regeneration:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def regenerate(
        self, call: Call, token: Token, given: Reauthentication, request_id: UUID | None
    ) -> BackupCodeResult:
        """Replace the backup code without using it."""
        request = IdempotentRequest("RegenerateBackupCode", token, request_id, "")
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.REGENERATION_CHARGED) as uow:
                locked = await lock_session(uow, token)
                if shown := await find_backup_code(uow, request, locked.session):
                    return shown
                given.check_well_formed()
                check_method(locked.factor, Method.AUTHENTICATOR)
                outcome = await charge_reauthentication(uow, token, locked, given)
            verified = await verify_reauthentication(self._deps, call, unwrap(outcome), slot)
            new_code = await slot.run(self._deps.hashing.argon2id.new_backup_code, call.deadline)
        async with self._deps.unit_of_work(call, TransactionName.BACKUP_CODE_REGENERATED) as uow:
            locked = await lock_session(uow, token)
            if shown := await find_backup_code(uow, request, locked.session):
                return shown
            check_method(locked.factor, Method.AUTHENTICATOR)
            await confirm_reauthentication(uow, locked, verified)
            check_same_authenticator(locked, verified)
            return await self._replace(uow, request, locked, new_code)

    async def _replace(
        self, uow: UnitOfWork, request: IdempotentRequest, locked: LockedSession, new_code: NewBackupCode
    ) -> BackupCodeResult:
        session, account_id, generation = locked.session, locked.factor.account_id, locked.factor.generation
        await second_factors.replace_backup_code(uow.tx, account_id, generation, new_code.code_hash, uow.now)
        await replies.erase_superseded(uow.tx, account_id, generation + 1)
        await uow.audit(account_id, "regenerate_backup_code", factor=Proof.BACKUP_CODE, session=session)
        notice = BackupCodeRegenerated(**uow.notice_context(session.email))
        change = backup_code_change(generation + 1, session.session_id)
        await uow.notify_with_undo_link(account_id, notice, **change)
        return await store_backup_code(uow, request, session, new_code, generation + 1)
