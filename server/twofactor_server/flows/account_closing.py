"""CloseAccount: for good. Nobody signs in to it any more, and what it held is erased or free for another."""

from datetime import datetime
from functools import partial
from uuid import UUID

from twofactor_server.crypto.tokens import Token, TokenKind, parse_token
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Method, SecondFactor
from twofactor_server.domain.sessions import Session
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.ownership import lock_owner
from twofactor_server.flows.reauthentication import Charged, Reauthenticating
from twofactor_server.flows.shutting_out import shut_out
from twofactor_server.flows.steps import Step
from twofactor_server.mail.account_notices import AccountClosed
from twofactor_server.storage import account_emails, accounts, closing, second_factors
from twofactor_server.storage.database import Transaction


class AccountClosing:
    """CloseAccount."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reauthenticating = Reauthenticating(deps)

    async def close_own(self, call: Call, session_token: str, given: Reauthentication) -> None:
        """Close the session's account. The session that closed it, or ended with it, may say so again."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        given = given.normalised()

        async def charge(tx: Transaction) -> Charged | Refusal | None:
            now = self._deps.now()
            await second_factors.lock(tx, token.account_id)
            if await closing.ended_with_it(tx, token.account_id, token.digest):
                return None
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            return await self._reauthenticating.charge(tx, call, token, owner, given, now)

        with self._deps.hashing.place() as place:
            charged: Charged | None = await self._deps.transact(call, Step.CLOSING_CHARGED, charge)
            if charged is None:
                return
            await self._reauthenticating.judge(call, charged, place)
        close = partial(self._close_own, call=call, token=token, charged=charged)
        await self._deps.transact(call, Step.ACCOUNT_CLOSED, close)

    async def close(self, call: Call, account_id: UUID) -> None:
        """Close an account on the word of a caller that provisions accounts; one that is closed is."""
        if not call.may_provision:
            raise Refusal(Reason.CALLER_NOT_ALLOWED)

        async def work(tx: Transaction) -> None:
            factor = await second_factors.lock(tx, account_id)
            if factor is None:
                raise Refusal(Reason.ACCOUNT_NOT_FOUND)
            account = await accounts.by_id(tx, account_id)
            if account is not None:
                await self._close(tx, call, factor, account, None, self._deps.now())

        await self._deps.transact(call, Step.ACCOUNT_CLOSED, work)

    async def _close_own(self, tx: Transaction, call: Call, token: Token, charged: Charged) -> None:
        now = self._deps.now()
        await second_factors.lock(tx, token.account_id)
        if await closing.ended_with_it(tx, token.account_id, token.digest):
            return
        owner = await lock_owner(tx, token, now, self._deps.session_limits)
        await self._reauthenticating.confirm(tx, owner, charged)
        account = await accounts.by_id(tx, token.account_id)
        if account is None:
            raise Refusal(Reason.SESSION_ENDED)
        await self._close(tx, call, owner.factor, account, owner.session, now)

    async def _close(
        self,
        tx: Transaction,
        call: Call,
        factor: SecondFactor,
        account: Account,
        session: Session | None,
        now: datetime,
    ) -> None:
        account_id = account.account_id
        if factor.method is Method.AUTHENTICATOR:
            # Secret and backup code go; the row stays, and with it the generation that is never given again.
            await second_factors.turn_off_authenticator(tx, account_id, factor.generation)
        await shut_out(tx, account_id, now)
        addresses = await account_emails.of_account(tx, account_id)
        await closing.close(tx, account_id, now)
        await trail.record(tx, call, account_id, "close_account", trail.SUCCESS, now, session=session)
        for address in addresses:
            # Also those it had a few days ago: who changed the address and then closed the account tells others too.
            notice = AccountClosed(**trail.told(address, call, now))
            await trail.post(tx, self._deps, account_id, notice)
