"""What a step of a call is given beside the account, and what it comes to.

A step is one moment at which a call looks at the account and changes it, all at once. Most calls are one step. A
step is a generator: it yields what the account is from then on, and the answer or the next step; more than one pair
where the contract leaves it open. It raises Refusal where nothing is left behind.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyotp

from tests.stateful.oracle.answers import Answer, Refusal
from tests.stateful.oracle.linking import KnownAs
from tests.stateful.oracle.state import Account, Session

STEP_SECONDS = 30


@dataclass(frozen=True)
class Fresh:
    """What a server makes at random, as it was told in the answer; a call that was refused made nothing."""

    token: str = ""
    session_id: str = ""
    code: str = ""
    setup_id: str = ""
    secret: str = ""
    identity_id: str = ""


@dataclass(frozen=True)
class Moment:
    """``mailed``: the digits that were mailed, by the address they were asked from; ``elsewhere``: the identities that
    another account has all the time, ``perhaps_elsewhere`` those that it has at some time, or may have."""

    now: datetime
    mailed: Mapping[str, str]
    fresh: Fresh = Fresh()
    elsewhere: frozenset[KnownAs] = frozenset()
    perhaps_elsewhere: frozenset[KnownAs] = frozenset()


@dataclass(frozen=True)
class Next:
    """Not answered yet: the step that follows, and what it knows from this one."""

    step: "Step"
    facts: tuple[Any, ...] = ()


Outcomes = Iterator[tuple[Account, Answer | Next]]
Step = Callable[..., Outcomes]


def step_of(now: datetime) -> int:
    """The authenticator's time step."""
    return int(now.timestamp()) // STEP_SECONDS


def app_code(secret: str, now: datetime, steps: int = 0) -> str:
    """What an app with this secret shows ``steps`` steps from ``now``."""
    return pyotp.TOTP(secret).generate_otp(step_of(now) + steps)


def accepted_step(secret: str, digits: str, now: datetime) -> int | None:
    """The newest step of the window, one on either side, whose code this is."""
    return next((step_of(now) + off for off in (1, 0, -1) if app_code(secret, now, off) == digits), None)


def live_session(account: Account, token: str, now: datetime) -> Session:
    """The session; unknown, ended, over or idle too long: SESSION_ENDED."""
    session = account.sessions.get(token)
    if session is None or not session.live(now):
        raise Refusal("SESSION_ENDED")
    return session


def network(ip: str) -> str:
    """The network prefix that shares a budget."""
    return ip.rpartition(".")[0]


def frees_at(times: list[datetime], budget: int) -> datetime | None:
    """When a budget of so many within the hour has a place again; None if it has one now. ``times``: oldest first."""
    return times[len(times) - budget] + timedelta(hours=1) if len(times) >= budget else None
