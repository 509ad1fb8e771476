"""ConfirmFirstFactor: the owner lifts the suspension of the first factor by a mailed link, with a new password."""

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import LinkPurpose
from twofactor_server.domain.passwords import check_context_specific
from twofactor_server.domain.refusals import invalid
from twofactor_server.flows.access_revocation import revoke_all_access
from twofactor_server.flows.account.passwords import apply_new_password, check_new_password, hash_new_password
from twofactor_server.flows.lockout import lift_suspension
from twofactor_server.flows.mailed_links import follow_link, mark_link_used, peek_link
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies


class Unlock:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def unlock(self, call: Call, token: Token, password: str) -> None:
        """Change the password, if there is one, and let sign-ins start again. Repeating the call has no effect."""
        if password:
            await check_new_password(password)
        with self._deps.hashing.reserve() as slot:
            peeked = await peek_link(self._deps, token, LinkPurpose.UNLOCK, password)
            if peeked.used:
                return
            _check_password_wanted(peeked.account, password)
            new_hash = None
            if password:
                check_context_specific(password, peeked.account.email, self._deps.product_name)
                new_hash = await hash_new_password(self._deps, call, slot, password)
        async with self._deps.unit_of_work(call, TransactionName.ACCOUNT_UNLOCKED) as uow:
            followed = await follow_link(uow, token, LinkPurpose.UNLOCK, password)
            if followed.used:
                return
            account = followed.account
            _check_password_wanted(account, password)
            await mark_link_used(uow, followed)
            if new_hash is not None:
                await apply_new_password(uow, account, new_hash)
            else:
                await revoke_all_access(uow, account.account_id)
            await lift_suspension(uow, account.account_id)
            await uow.audit(account.account_id, "confirm_first_factor")


def _check_password_wanted(account: Account, password: str) -> None:
    """A password that someone else knew has to change; an account without one does not get one this way."""
    if account.password_hash is not None and not password:
        raise invalid("required for an account that has a password")
    if account.password_hash is None and password:
        raise invalid("not for an account that has no password")
