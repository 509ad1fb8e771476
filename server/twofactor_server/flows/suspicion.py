"""Right first factor, wrong second: counted, told to the owner, and in the end the first factor is suspended.

Suspended, a right first factor opens no new challenge, whichever it is; challenges that are open go on. The owner
lifts it by the mailed link (ConfirmFirstFactor).
"""

from datetime import datetime
from uuid import UUID

from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.mailed_links import Purpose
from twofactor_server.domain.suspension import SPAN, Consequence, consequence
from twofactor_server.flows import mailed_links as links
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.mail.notices import SecondFactorFailed, SignInSuspended
from twofactor_server.storage import accounts, mailed_links, second_factor_failures
from twofactor_server.storage.database import Transaction


async def count_failure(tx: Transaction, deps: Dependencies, call: Call, challenge: Challenge, now: datetime) -> None:
    """A second factor was charged and wrong: count it, in the transaction that says so, and act on the count.

    The account is locked, so that failures of one moment are counted one after the other.
    """
    await second_factor_failures.add(tx, challenge, now)
    failures = await second_factor_failures.count_since(tx, challenge.account_id, now - SPAN)
    account = await accounts.by_id(tx, challenge.account_id)
    if account is None:
        return
    match consequence(failures, suspended=account.suspend_time is not None):
        case Consequence.TELL:
            notice = SecondFactorFailed(**trail.told(account.email, call, now), failures=failures)
            await trail.post(tx, deps, account.account_id, notice)
        case Consequence.SUSPEND:
            await suspend(tx, deps, call, account, now, failures=failures)


async def suspend(
    tx: Transaction, deps: Dependencies, call: Call, account: Account, now: datetime, *, failures: int = 0
) -> None:
    """Suspend the first factor and mail the link that lifts it; suspended already: nothing is done, nor mailed.

    ``failures``: how many wrong second factors led to it; 0 where it was the owner's own word.
    """
    if not await accounts.suspend(tx, account.account_id, now):
        return
    token = await links.make(tx, account.account_id, Purpose.CONFIRM_SIGN_IN, now)
    notice = SignInSuspended(**trail.told(account.email, call, now), token=token.text, failures=failures)
    await trail.post(tx, deps, account.account_id, notice, lifetime=Purpose.CONFIRM_SIGN_IN.lifetime)
    await trail.record(tx, call, account.account_id, "suspend_first_factor", trail.SUCCESS, now, failures=failures)


async def lift(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """End the suspension, if there is one, and begin the count anew; a link that was to lift it has no use any more."""
    await accounts.lift_suspension(tx, account_id)
    await second_factor_failures.clear(tx, account_id)
    await mailed_links.void(tx, account_id, Purpose.CONFIRM_SIGN_IN, now)
