"""The promises of the protocol, and the mechanisms that keep them. A variant runs without some of the mechanisms."""

from enum import StrEnum
from typing import NamedTuple


class Promise(StrEnum):
    """What must hold in every state, and of every answer. docs/model.md gives the assertion behind each."""

    SINGLE_USE = "single use"
    VALID_CODE = "a valid code exists"
    RECOVERABLE = "the new code is recoverable"
    COUNTED = "every guess is counted"
    NOTHING_STALE = "nothing stale is accepted"
    ACCURATE = "every refusal is accurate"
    FIRST_FACTOR = "a first factor remains"


class Mechanism(StrEnum):
    """One measure of the server that a variant can remove."""

    ROW_LOCK = "row lock"
    REREAD = "re-read under the lock"
    GUARDED_WRITE = "guarded write of the new code"
    SPENT_KEY = "unique key of spent generations"
    MONOTONIC_GENERATION = "monotonic generation"
    REPLY_FIRST = "stored reply checked first"
    GUARDED_CHARGE = "guarded attempt counter"
    ATTEMPTS_CHECK = "CHECK constraint on attempts"
    CHARGE_ONCE = "one charge per code"
    ATTEMPT_KEY = "unique key of attempts"
    CHARGE_FIRST = "charge before verification"
    RETURNED_REFUSAL = "refusal returned, not raised"
    ERASE_OWN_ONLY = "replies erased by their own session only"
    COMMIT_BEFORE_ANSWER = "commit before answer"
    ONE_TRANSACTION = "code replaced in one transaction"
    COMPLETION_GUARD = "guarded completion"
    SESSION_KEY = "one session per challenge"
    VERDICT_PER_GENERATION = "verification shared per generation"
    VERSION_REREAD = "password version re-read"
    CHARGED_IN_TIME = "charged attempts outlive the challenge"
    SETUP_REVERIFIED = "setup code verified twice"
    VOID_CHALLENGES = "open challenges voided"
    SAME_AUTHENTICATOR = "authenticator unchanged"
    LINK_REREAD = "identity link re-read"


class Context(NamedTuple):
    """What a transaction knows besides its call: which mechanisms are removed, and its execution's name."""

    removed: frozenset[Mechanism]
    execution: str

    def has(self, mechanism: Mechanism) -> bool:
        return mechanism not in self.removed

    def new_code(self, generation: int) -> str:
        """A backup code that no other execution generates."""
        return f"{generation}{self.execution}"
