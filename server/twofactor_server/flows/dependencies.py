"""What every flow is given, and how it runs a step."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from twofactor_server.crypto.hashing import HashingQueue
from twofactor_server.crypto.keyring import Keyring
from twofactor_server.domain.calls import Call, DeadlinePassed
from twofactor_server.domain.refusals import Refusal
from twofactor_server.domain.sessions import SessionLimits
from twofactor_server.flows.steps import Step
from twofactor_server.identity.providers import IdentityProviders
from twofactor_server.storage.database import Database, Transaction, Work

T = TypeVar("T")


@dataclass(frozen=True)
class Dependencies:
    """The parts, put together once. ``reached`` is told of every crash point; outside test mode it does nothing."""

    database: Database
    keyring: Keyring
    hashing: HashingQueue
    now: Callable[[], datetime]
    reached: Callable[[str], None]
    wake_delivery: Callable[[], None]
    session_limits: SessionLimits
    product_name: str
    providers: IdentityProviders = field(default_factory=IdentityProviders)

    async def transact(self, call: Call, step: Step, work: Work[T | Refusal]) -> T:
        """Run one step in one transaction, to its confirmed commit.

        A refusal that ``work`` *raises* rolls back: nothing is left behind. One that it *returns* is raised here
        after the commit: what it charged is kept. Not begun when the deadline has passed (DeadlinePassed).
        """
        if time.monotonic() >= call.deadline:
            raise DeadlinePassed

        async def marked(tx: Transaction) -> T | Refusal:
            result = await work(tx)
            self.reached(step.uncommitted)
            return result

        self.reached(step.before)
        outcome = await self.database.transact(marked)
        self.reached(step.committed)
        if isinstance(outcome, Refusal):
            raise outcome
        return outcome
