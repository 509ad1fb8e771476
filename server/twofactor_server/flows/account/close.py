"""CloseAccount: no one can sign in to it again; its address and identities become free for other accounts."""

from uuid import UUID

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal, unwrap
from twofactor_server.domain.second_factors import Method, SecondFactor
from twofactor_server.domain.sessions import Session
from twofactor_server.flows.access_revocation import revoke_all_access
from twofactor_server.flows.reauthentication import (
    charge_reauthentication,
    confirm_reauthentication,
    verify_reauthentication,
)
from twofactor_server.flows.session_lock import lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.mail.notices import AccountClosed
from twofactor_server.storage import account_emails, accounts, second_factors, sessions


class AccountClosing:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def close_own(self, call: Call, token: Token, given: Reauthentication) -> None:
        """Close the session's account. Repeating the call with a session that ended with the account has no effect."""
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.CLOSING_CHARGED) as uow:
                if await self._closed_before(uow, token):
                    return
                locked = await lock_session(uow, token)
                outcome = await charge_reauthentication(uow, token, locked, given)
            verified = await verify_reauthentication(self._deps, call, unwrap(outcome), slot)
        async with self._deps.unit_of_work(call, TransactionName.ACCOUNT_CLOSED) as uow:
            if await self._closed_before(uow, token):
                return
            locked = await lock_session(uow, token)
            await confirm_reauthentication(uow, locked, verified)
            account = await accounts.find(uow.tx, token.account_id)
            if account is None:
                raise Refusal(Reason.SESSION_ENDED)
            await self._close(uow, account, locked.factor, locked.session)

    async def close(self, call: Call, account_id: UUID) -> None:
        """Close an account for a caller that provisions accounts. No effect on a closed one."""
        if not call.may_provision:
            raise Refusal(Reason.CALLER_NOT_ALLOWED)
        async with self._deps.unit_of_work(call, TransactionName.ACCOUNT_CLOSED) as uow:
            factor = await second_factors.lock(uow.tx, account_id)
            if factor is None:
                raise Refusal(Reason.ACCOUNT_NOT_FOUND)
            account = await accounts.find(uow.tx, account_id)
            if account is not None:
                await self._close(uow, account, factor)

    async def _closed_before(self, uow: UnitOfWork, token: Token) -> bool:
        await second_factors.lock(uow.tx, token.account_id)
        return await sessions.ended_with_account(uow.tx, token.account_id, token.digest)

    async def _close(
        self, uow: UnitOfWork, account: Account, factor: SecondFactor, session: Session | None = None
    ) -> None:
        account_id = account.account_id
        if factor.method is Method.AUTHENTICATOR:
            # Secret and backup code are erased. The row stays, and with it the generation, which is never reused.
            await second_factors.turn_off_authenticator(uow.tx, account_id, factor.generation)
        await revoke_all_access(uow, account_id)
        addresses = await account_emails.list_addresses(uow.tx, account_id)
        await accounts.close(uow.tx, account_id, uow.now)
        await uow.audit(account_id, "close_account", session=session)
        for address in addresses:
            # Former addresses, too: someone who changed the address and then closed the account is noticed.
            await uow.notify(account_id, AccountClosed(**uow.notice_context(address)))
