"""StartPasswordReset and CompletePasswordReset: a new password by a link in the account's mailbox."""

from dataclasses import replace
from uuid import uuid4

from twofactor_server.crypto.tokens import Token, TokenKind, new_token
from twofactor_server.domain import limits
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import LinkPurpose
from twofactor_server.domain.passwords import check_context_specific
from twofactor_server.domain.refusals import Reason
from twofactor_server.domain.second_factors import Counter, SecondFactor
from twofactor_server.domain.throttling import subject_of
from twofactor_server.flows.account.passwords import apply_new_password, check_new_password, hash_new_password
from twofactor_server.flows.lockout import lift_suspension
from twofactor_server.flows.mailed_links import follow_link, mark_link_used, peek_link
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import SUCCESS, Dependencies, UnitOfWork
from twofactor_server.mail.notices import PasswordReset
from twofactor_server.storage import accounts, first_factor_failures, identities, mailed_links, second_factors
from twofactor_server.storage.audit import NO_ACCOUNT


class PasswordResets:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def start(self, call: Call, email: str) -> None:
        """Mail a link, which voids the ones before it.

        Without an account, or over budget, the same statements run and the answer is the same.
        """
        async with self._deps.database.reading() as tx:
            account = await accounts.find_by_email(tx, email)
        async with self._deps.unit_of_work(call, TransactionName.PASSWORD_RESET_STARTED) as uow:
            await self._start(uow, email, account)

    async def complete(self, call: Call, token: Token, password: str) -> None:
        """Set the password by the link. Repeating the call succeeds as long as the link lasts."""
        await check_new_password(password)
        with self._deps.hashing.reserve() as slot:
            peeked = await peek_link(self._deps, token, LinkPurpose.RESET_PASSWORD, password)
            check_context_specific(password, peeked.account.email, self._deps.product_name)
            if peeked.used:
                return
            new_hash = await hash_new_password(self._deps, call, slot, password)
        async with self._deps.unit_of_work(call, TransactionName.PASSWORD_RESET) as uow:
            followed = await follow_link(uow, token, LinkPurpose.RESET_PASSWORD, password)
            if followed.used:
                return
            await mark_link_used(uow, followed)
            await apply_new_password(uow, followed.account, new_hash)
            await _clear_throttles(uow, followed.account, followed.factor)
            await uow.audit(followed.account.account_id, "reset_password", factor="password")

    async def _start(self, uow: UnitOfWork, email: str, account: Account | None) -> None:
        account_id = account.account_id if account else uuid4()
        await second_factors.lock(uow.tx, account_id)
        current = await accounts.find(uow.tx, account_id)
        purpose, budget = LinkPurpose.RESET_PASSWORD, limits.PASSWORD_RESET_LINKS
        sent = await mailed_links.create_times_since(uow.tx, account_id, purpose, uow.now - budget.span)
        # Read again under the lock: the address may have been changed, or the account closed.
        known = current is not None and current.email == email
        wanted = known and limits.next_allowed(uow.now, (budget, sent)) <= uow.now
        await mailed_links.void_unused(uow.tx, account_id if wanted else uuid4(), purpose, uow.now)
        if wanted:
            token = await uow.create_link(account_id, purpose)
        else:
            token = new_token(TokenKind.LINK, account_id)
            await mailed_links.insert_decoy(uow.tx)
        notice = PasswordReset(**uow.notice_context(email), token=token.text)
        await uow.notify(account_id, notice, purpose.lifetime, decoy=not wanted)
        outcome = SUCCESS if wanted else Reason.DELIVERY_THROTTLED if known else Reason.ACCOUNT_NOT_FOUND
        await uow.audit(account_id if known else NO_ACCOUNT, "start_password_reset", outcome)


async def _clear_throttles(uow: UnitOfWork, account: Account, factor: SecondFactor) -> None:
    """Lift what slows down the owner; the link also verifies the address.

    A disabled authenticator stays disabled, and its count of failures stays. Otherwise someone who reads the mailbox
    could guess without end, a few codes with each link.
    """
    account_id = account.account_id
    if account.email_verify_time is None:
        # The address was never verified, so a stranger may have made the account or linked an identity to it.
        await identities.unlink_all(uow.tx, account_id)
        await accounts.mark_email_verified(uow.tx, account_id, account.email, uow.now)
    await lift_suspension(uow, account_id)
    await second_factors.set_email_code_counter(uow.tx, account_id, Counter())
    await second_factors.set_authenticator_counter(
        uow.tx, account_id, replace(factor.authenticator, wait_until=None), disabled=factor.authenticator_disabled
    )
    await first_factor_failures.clear_address(uow.tx, subject_of(account.email))
