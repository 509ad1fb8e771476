"""Throttling of passwords: checked before hashing, alike for addresses with and without an account."""

from uuid import uuid4

from twofactor_server.domain import limits
from twofactor_server.domain import throttling as rules
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.throttling import FirstFactorAttempt
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.storage import first_factor_failures as failures

_MAX_TRIES = 5
"""Each try fails only if another attempt from the same network was decided at the same moment."""


async def admit_attempt(deps: Dependencies, call: Call, email: str, account: Account | None) -> FirstFactorAttempt:
    """The admitted attempt, charged in advance if its network has failed four times. A wait: ATTEMPTS_THROTTLED."""
    for _ in range(_MAX_TRIES):
        attempt = await _check(deps, call, email, account)
        if not attempt.charged:
            return attempt
        async with deps.unit_of_work(call, TransactionName.FIRST_FACTOR_CHARGED) as uow:
            charged = await failures.charge_attempt(
                uow.tx, attempt.subject, attempt.network_prefix, attempt.counter, uow.now
            )
        if charged:
            return attempt
    raise Refusal(Reason.CONFLICT)


async def record_failure(uow: UnitOfWork, attempt: FirstFactorAttempt) -> None:
    """Count a wrong first factor."""
    if not attempt.charged:
        await failures.count_failure(uow.tx, attempt.subject, attempt.network_prefix, uow.now)
    await failures.add_failure_time(uow.tx, attempt.subject, uow.now)


async def clear_throttle(deps: Dependencies, call: Call, attempt: FirstFactorAttempt) -> None:
    """After a right first factor: forgive the failures of its network."""
    if attempt.counter.failures:
        async with deps.unit_of_work(call, TransactionName.FIRST_FACTOR_THROTTLE_CLEARED) as uow:
            await failures.clear_network(uow.tx, attempt.subject, attempt.network_prefix)


async def _check(deps: Dependencies, call: Call, email: str, account: Account | None) -> FirstFactorAttempt:
    subject, network_prefix, now = rules.subject_of(email), call.client.network_prefix, deps.now()
    async with deps.database.reading() as tx:
        counter = await failures.find_counter(tx, subject, network_prefix)
        times = await failures.recent_failure_times(tx, subject)
        rules.check_network(counter, now)
        allowed = limits.next_allowed(now, (limits.FIRST_FACTOR_FAILURES, times))
        if allowed > now:
            # The address's budget is spent: only networks that the owner has signed in from are admitted.
            account_id = account.account_id if account else uuid4()
            seen = await failures.list_session_addresses(tx, account_id, now - limits.KNOWN_NETWORK_LIFETIME)
            if not rules.is_known(call.client, seen):
                raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=allowed - now)
    return FirstFactorAttempt(subject, network_prefix, counter, rules.must_charge_first(counter))
