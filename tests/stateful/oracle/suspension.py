"""Right first factor, wrong second: counted over a day, and in the end the first factor is suspended."""

from dataclasses import replace
from datetime import datetime

from tests.stateful.oracle.account_calls import ConfirmFirstFactor
from tests.stateful.oracle.answers import Done, Refusal
from tests.stateful.oracle.moments import Moment, Outcomes
from tests.stateful.oracle.shutting_out import everybody_out, with_password
from tests.stateful.oracle.state import DAY, WEEK, Account, Link

TOLD_FROM = 5
SUSPENDED_AT = 20


def failed(account: Account, now: datetime) -> Account:
    """With one wrong second factor more; the owner is told from the fifth of a day on, the twentieth suspends."""
    account = replace(account, failures=(*account.failures, now))
    recent = sum(time > now - DAY for time in account.failures)
    if account.suspended or recent < TOLD_FROM:
        return account
    if recent < SUSPENDED_AT:
        return account.mailed("second-factor-failed")
    account = replace(account, suspended=True, links=(*account.links, Link(now)))
    return account.mailed("sign-in-suspended").audited("suspend_first_factor")


def confirm_first_factor(account: Account, call: ConfirmFirstFactor, at: Moment) -> Outcomes:
    """The newest link lifts it, with a new password where there is one; the same call once more changes nothing."""
    if 0 < len(call.new_password) < 8:
        raise Refusal("PASSWORD_REJECTED", field="new_password")
    link = account.links[call.nth - 1] if call.nth else None
    if link is None or at.now >= link.created + WEEK or link.used not in (None, call.new_password):
        raise Refusal("LINK_INVALID")
    if link.used is not None:
        yield account, Done()
        return
    if bool(account.password) != bool(call.new_password):
        raise Refusal("INVALID_FIELD", field="new_password")
    account = replace(
        account,
        suspended=False,
        failures=(),
        links=(*account.links[:-1], replace(link, used=call.new_password)),
    )
    if call.new_password:
        account = with_password(account, call.new_password)
    account = everybody_out(account, at)
    yield account.audited("confirm_first_factor"), Done()
