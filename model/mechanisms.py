"""The mechanisms that keep the promises. Each can be taken out, alone or with others."""

from dataclasses import dataclass
from enum import StrEnum


class Promise(StrEnum):
    """What must hold in every state, and of every answer."""

    TWICE = "never twice"
    NEITHER = "never neither"
    LOST = "never lost"
    FREE = "never free"
    DEAD = "nothing dead opens anything"
    TRUE = "every refusal is true"
    WAY_IN = "always a way in"


class Mechanism(StrEnum):
    """One thing that the server does for a reason."""

    ROW_LOCK = "row lock"
    REREAD = "re-read under the lock"
    GUARDED_WRITE = "guarded write"
    SPENT_KEY = "spent key"
    MONOTONIC_GENERATION = "monotonic generation"
    REPLY_FIRST = "reply first"
    GUARDED_CHARGE = "guarded charge"
    ATTEMPTS_CHECK = "attempts constraint"
    CHARGE_ONCE = "charge once"
    ATTEMPT_KEY = "attempt key"
    CHARGE_BEFORE_VERDICT = "charge before verdict"
    KEPT_REFUSAL = "refusal returned, not raised"
    ERASE_OWN_ONLY = "erase only by own session"
    COMMIT_BEFORE_ANSWER = "commit before answer"
    ONE_TRANSACTION = "old out, new in: one transaction"
    COMPLETION_GUARD = "guarded completion"
    SESSION_KEY = "one session a challenge"
    VERDICT_PER_GENERATION = "verdict shared per generation"
    VERSION_REREAD = "password version read again"
    CHARGED_IN_TIME = "charged in time stays in time"
    JUDGED_AGAIN = "setup code judged again"
    VOID_CHALLENGES = "open sign-ins void"
    SAME_AUTHENTICATOR = "the same authenticator still"
    LINK_REREAD = "link looked up again"


@dataclass(frozen=True, slots=True)
class Protocol:
    """The protocol, less what was taken out of it."""

    removed: frozenset[Mechanism] = frozenset()

    def has(self, mechanism: Mechanism) -> bool:
        """Whether the mechanism is in place."""
        return mechanism not in self.removed


FULL = Protocol()


def without(*mechanisms: Mechanism) -> Protocol:
    """The protocol without these."""
    return Protocol(frozenset(mechanisms))
