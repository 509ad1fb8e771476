"""ReportNotMe: access is revoked, and the change in the notice is reverted."""

from dataclasses import dataclass, field

from twofactor_server.crypto.hashing import NewBackupCode, Slot
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import LinkPurpose
from twofactor_server.domain.passwords import check_context_specific
from twofactor_server.domain.refusals import invalid
from twofactor_server.domain.revert import RevertedChange, in_contract_order
from twofactor_server.flows.access_revocation import revoke_all_access
from twofactor_server.flows.account.passwords import apply_new_password, check_new_password, hash_new_password
from twofactor_server.flows.account.revert import may_replace_backup_code, revert_change
from twofactor_server.flows.lockout import lift_suspension, suspend
from twofactor_server.flows.mailed_links import follow_link, mark_link_used, peek_link
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.storage import accounts, mailed_links, undo_links

_VOIDED_LINKS = (LinkPurpose.CONFIRM_EMAIL, LinkPurpose.RESET_PASSWORD)
"""The stranger may have requested them, and may have had them sent to another address."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """What was hashed before the transaction. ``undisclosed_code`` replaces a code that a stranger may know."""

    password_hash: str = field(default="", repr=False)
    undisclosed_code: NewBackupCode | None = None


class Reports:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def report(self, call: Call, token: Token, password: str) -> list[RevertedChange]:
        """Revoke all access and revert the change. Repeating the call with the same password gets the same answer."""
        if password:
            await check_new_password(password)
        with self._deps.hashing.reserve() as slot:
            prepared = await self._prepare(call, token, password, slot)
            async with self._deps.unit_of_work(call, TransactionName.CHANGE_REPORTED) as uow:
                return await self._revert(uow, token, password, prepared)

    async def _prepare(self, call: Call, token: Token, password: str, slot: Slot) -> _Prepared:
        """Hash what the transaction needs. Nothing is hashed for an invalid link or a repeated call."""
        peeked = await peek_link(self._deps, token, LinkPurpose.UNDO, password)
        if peeked.used:
            return _Prepared()
        _check_password_allowed(peeked.account, password)
        password_hash, undisclosed_code = "", None
        if password:
            check_context_specific(password, peeked.account.email, self._deps.product_name)
            password_hash = await hash_new_password(self._deps, call, slot, password)
        if may_replace_backup_code(peeked.link):
            job = self._deps.hashing.argon2id.new_backup_code
            undisclosed_code = await slot.run(job, call.deadline, key="backup code")
        return _Prepared(password_hash, undisclosed_code)

    async def _revert(self, uow: UnitOfWork, token: Token, password: str, prepared: _Prepared) -> list[RevertedChange]:
        followed = await follow_link(uow, token, LinkPurpose.UNDO, password)
        link = followed.link
        if followed.used:
            return [RevertedChange(name) for name in link.details["undone"]]
        _check_password_allowed(followed.account, password)
        await mark_link_used(uow, followed)
        await revoke_all_access(uow, link.account_id)
        for purpose in _VOIDED_LINKS:
            await mailed_links.void_unused(uow.tx, link.account_id, purpose, uow.now)
        reverted = [RevertedChange.SESSIONS_ENDED, *await revert_change(uow, followed, prepared.undisclosed_code)]
        # Read again: from here on e-mail goes to the address that was restored.
        account = await accounts.find(uow.tx, link.account_id) or followed.account
        reverted += await self._replace_or_suspend_password(uow, account, prepared.password_hash)
        reverted = in_contract_order(reverted)
        await undo_links.record_reverted(uow.tx, link, reverted)
        await uow.audit(link.account_id, "report_not_me", notice=link.details["kind"], undone=" ".join(reverted))
        return reverted

    async def _replace_or_suspend_password(
        self, uow: UnitOfWork, account: Account, password_hash: str
    ) -> list[RevertedChange]:
        """Make the password that the stranger may know useless. A suspension stays in force."""
        has_password = account.password_hash is not None
        if not has_password and account.suspend_time is None:
            return []
        # The link that lifts an earlier suspension may have been sent to the stranger: it is replaced or voided.
        await lift_suspension(uow, account.account_id)
        if password_hash:
            await apply_new_password(uow, account, password_hash)
            return [RevertedChange.PASSWORD_CHANGED]
        await suspend(uow, account)
        return [RevertedChange.FIRST_FACTOR_SUSPENDED] if has_password else []


def _check_password_allowed(account: Account, password: str) -> None:
    if password and account.password_hash is None:
        raise invalid("empty: the account has no password")
