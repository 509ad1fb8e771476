"""The waits of first factors: looked at before hashing, alike for addresses with and without an account."""

from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from twofactor_server.domain import first_factor_waits as rules
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.first_factor_waits import Attempt
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.steps import Step
from twofactor_server.storage import first_factor_failures as failures
from twofactor_server.storage.database import Transaction

_TRIES = 5
"""Each means that another attempt of the same network came out right or wrong at this very moment."""


class FirstFactorWaits:
    """Admits attempts, counts the wrong ones, forgives for the right ones."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def admit(self, call: Call, email: str, account: Account | None) -> Attempt:
        """The attempt, counted already if its network has failed four times. A wait in force: ATTEMPTS_THROTTLED."""
        for _ in range(_TRIES):
            attempt = await self._look(call, email, account)
            if not attempt.charged or await self._deps.transact(
                call, Step.FIRST_FACTOR_CHARGED, partial(self._charge, attempt=attempt)
            ):
                return attempt
        raise Refusal(Reason.CONFLICT)

    async def count(self, tx: Transaction, attempt: Attempt, now: datetime) -> None:
        """The attempt was wrong."""
        if not attempt.charged:
            await failures.count(tx, attempt.subject, attempt.network_prefix, now)
        await failures.add_to_total(tx, attempt.subject, now)

    async def forgive(self, call: Call, attempt: Attempt) -> None:
        """The attempt was right: the failures of its network are forgiven."""
        if attempt.before.failures:
            forgive = partial(failures.forgive, subject=attempt.subject, network_prefix=attempt.network_prefix)
            await self._deps.transact(call, Step.FIRST_FACTOR_FORGIVEN, forgive)

    async def _look(self, call: Call, email: str, account: Account | None) -> Attempt:
        subject, network_prefix = rules.subject_of(email), call.client.network_prefix
        now = self._deps.now()

        async def look(tx: Transaction) -> Attempt:
            counter = await failures.find(tx, subject, network_prefix)
            times = await failures.times(tx, subject)
            rules.check_network(counter, now)
            if until := rules.spent_until(times, now):
                account_id = account.account_id if account else uuid4()
                await self._check_known(tx, call, account_id, until, now)
            return Attempt(subject, network_prefix, counter, rules.charged_first(counter))

        return await self._deps.database.read(look)

    async def _check_known(self, tx: Transaction, call: Call, account_id: UUID, until: datetime, now: datetime) -> None:
        """With the address's budget spent, only networks that the owner has signed in from go on."""
        seen = await failures.addresses_seen(tx, account_id, now - rules.REMEMBERED)
        if not rules.is_known(call.client, seen):
            raise Refusal(Reason.ATTEMPTS_THROTTLED, retry_after=until - now)

    async def _charge(self, tx: Transaction, attempt: Attempt) -> bool:
        now = self._deps.now()
        return await failures.charge(tx, attempt.subject, attempt.network_prefix, attempt.before, now)
