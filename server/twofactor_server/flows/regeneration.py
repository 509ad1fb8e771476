"""RegenerateBackupCode: a fresh code at any time, for the password. The old one dies, the new one is shown once."""

from functools import partial
from uuid import UUID

from twofactor_server.crypto.hashing import Replacement
from twofactor_server.crypto.tokens import TokenKind, parse_token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.not_me import backup_code_changed
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Refusal
from twofactor_server.domain.second_factors import Method, Proof
from twofactor_server.flows import trail
from twofactor_server.flows.challenges import check_method
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.flows.ownership import lock_owner
from twofactor_server.flows.reauthentication import Charged, Reauthenticating
from twofactor_server.flows.showing import ShownBackupCode, show, shown_before
from twofactor_server.flows.steps import Step
from twofactor_server.mail.notices import BackupCodeRegenerated
from twofactor_server.storage import replies, second_factors
from twofactor_server.storage.database import Transaction


class Regeneration:
    """RegenerateBackupCode."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reauthenticating = Reauthenticating(deps)

    async def regenerate(
        self, call: Call, session_token: str, given: Reauthentication, request_id: UUID | None
    ) -> ShownBackupCode:
        """Replace the backup code without using it."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        logical = LogicalCall("RegenerateBackupCode", token, request_id, "")

        async def charge(tx: Transaction) -> Charged | ShownBackupCode | Refusal:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            if shown := await shown_before(tx, self._deps, call, logical, owner, now):
                return shown
            proved = given.normalised()
            check_method(owner.factor, Method.AUTHENTICATOR)
            return await self._reauthenticating.charge(tx, call, token, owner, proved, now)

        with self._deps.hashing.place() as place:
            charged: Charged | ShownBackupCode = await self._deps.transact(call, Step.REGENERATION_CHARGED, charge)
            if isinstance(charged, ShownBackupCode):
                return charged
            await self._reauthenticating.judge(call, charged, place)
            replacement = await place.run(self._deps.hashing.argon2id.new_backup_code, call.deadline)
        replace = partial(self._replace, call=call, logical=logical, charged=charged, replacement=replacement)
        return await self._deps.transact(call, Step.BACKUP_CODE_REGENERATED, replace)

    async def _replace(
        self, tx: Transaction, call: Call, logical: LogicalCall, charged: Charged, replacement: Replacement
    ) -> ShownBackupCode:
        now = self._deps.now()
        owner = await lock_owner(tx, logical.token, now, self._deps.session_limits)
        if shown := await shown_before(tx, self._deps, call, logical, owner, now):
            return shown
        check_method(owner.factor, Method.AUTHENTICATOR)
        await self._reauthenticating.confirm_for_same(tx, owner, charged)
        account_id, generation = owner.factor.account_id, owner.factor.generation
        await second_factors.replace_backup_code(tx, account_id, generation, replacement.code_hash, now)
        await replies.erase_superseded(tx, account_id, generation + 1)
        await trail.record(
            tx, call, account_id, "regenerate_backup_code", trail.SUCCESS, now, factor=Proof.BACKUP_CODE,
            session=owner.session,
        )  # fmt: skip
        notice = BackupCodeRegenerated(**trail.told(owner.session.email, call, now))
        undoing = backup_code_changed(generation + 1, owner.session.session_id)
        await trail.post_undoable(tx, self._deps, account_id, notice, **undoing)
        return await show(tx, self._deps, logical, owner, replacement, generation + 1, now)
