"""Suspension of the first factor.

Someone who passes the first factor and fails the second again and again knows the first factor. The owner is notified,
and finally the first factor is suspended: it starts no sign-in until the owner unlocks the account by a mailed link
(account/unlock.py). Challenges that are open stay open.
"""

from uuid import UUID

from twofactor_server.domain import limits
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.mailed_links import LinkPurpose
from twofactor_server.flows.unit_of_work import UnitOfWork
from twofactor_server.mail.notices import SecondFactorFailed, SignInSuspended
from twofactor_server.storage import accounts, mailed_links, second_factor_failures


async def count_failure(uow: UnitOfWork, challenge: Challenge) -> None:
    """Count a wrong second factor, in the transaction that refuses it, and act on the count.

    The account is locked, so concurrent failures are counted one after the other.
    """
    account_id = challenge.account_id
    await second_factor_failures.record(uow.tx, challenge, uow.now)
    since = uow.now - limits.SECOND_FACTOR_FAILURES.span
    failures = await second_factor_failures.count_since(uow.tx, account_id, since)
    account = await accounts.find(uow.tx, account_id)
    # Once suspended, the owner knows: more e-mails would only hide the one with the link.
    if account is None or account.suspend_time is not None or failures < limits.SECOND_FACTOR_FAILURES_MAILED_FROM:
        return
    if failures >= limits.SECOND_FACTOR_FAILURES.count:
        await suspend(uow, account, failures=failures)
    else:
        await uow.notify(account_id, SecondFactorFailed(**uow.notice_context(account.email), failures=failures))


async def suspend(uow: UnitOfWork, account: Account, *, failures: int = 0) -> None:
    """Suspend the first factor and mail the link that lifts the suspension. No effect if it is suspended.

    ``failures``: how many wrong second factors caused it; 0 if the owner reported a change.
    """
    account_id = account.account_id
    if not await accounts.suspend(uow.tx, account_id, uow.now):
        return
    token = await uow.create_link(account_id, LinkPurpose.UNLOCK)
    notice = SignInSuspended(**uow.notice_context(account.email), token=token.text, failures=failures)
    await uow.notify(account_id, notice, LinkPurpose.UNLOCK.lifetime)
    await uow.audit(account_id, "suspend_first_factor", failures=failures)


async def lift_suspension(uow: UnitOfWork, account_id: UUID) -> None:
    """End the suspension if there is one, restart the count of failures, and void the links that would lift it."""
    await accounts.lift_suspension(uow.tx, account_id)
    await second_factor_failures.clear(uow.tx, account_id)
    await mailed_links.void_unused(uow.tx, account_id, LinkPurpose.UNLOCK, uow.now)
