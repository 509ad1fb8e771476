"""Variants: the protocol without some of its mechanisms, and what must come of it.

Where one mechanism alone closes a gap, a promise breaks without it. Where several close the same gap on purpose, the
promise holds as long as one of them remains, and breaks without all of them.
"""

from dataclasses import dataclass, replace

from model import scenarios
from model.mechanisms import Mechanism as M
from model.mechanisms import Promise as P
from model.world import Scenario


@dataclass(frozen=True, slots=True)
class Variant:
    """``breaks``: the promise that must break; None if no promise of ``checked`` may. ``explanation``: what the server
    does without the mechanisms, and what follows."""

    removed: tuple[M, ...]
    breaks: P | None
    scenario: Scenario
    explanation: str = ""
    checked: frozenset[P] = frozenset(P)

    @property
    def name(self) -> str:
        """The removed mechanisms."""
        return ", ".join(self.removed)

    @property
    def explored(self) -> Scenario:
        """The scenario, without the mechanisms."""
        return replace(self.scenario, removed=frozenset(self.removed))


def reduce(scenario: Scenario, *clients: int, crashes: int = 0, losses: int = 0) -> Scenario:
    """The scenario with only these clients and faults, which keeps the counterexample short."""
    scripts = tuple(scenario.scripts[index] for index in clients) if clients else scenario.scripts
    fewer = replace(scenario, scripts=scripts, crashes=crashes, losses=losses)
    return replace(fewer, interchangeable=0, own_challenges=False)


RACE = reduce(scenarios.STATEMENTS)
"""Two uses of one code, statement by statement."""

APP = replace(reduce(scenarios.APP, 0, 1), by_statement=True, prompt_answers=False)
"""The app's code and the backup code on one challenge, statement by statement."""

BREAKING = (
    Variant(
        (M.ROW_LOCK, M.SPENT_KEY, M.GUARDED_WRITE),
        P.SINGLE_USE,
        RACE,
        "Rows are read without FOR NO KEY UPDATE, a generation can be recorded as spent several times, and the write "
        "of the new code does not state which generation it expects.",
        frozenset((P.SINGLE_USE,)),
    ),
    Variant(
        (M.ROW_LOCK,),
        P.ACCURATE,
        RACE,
        "Rows are read without FOR NO KEY UPDATE. The code still opens one session only, but the other call ends with "
        "an alarm or an internal error instead of a refusal.",
    ),
    Variant(
        (M.REREAD, M.SPENT_KEY, M.GUARDED_WRITE),
        P.SINGLE_USE,
        reduce(scenarios.RACE, 0, 1),
        "The row is locked, but the values that were read before the lock are used.",
        frozenset((P.SINGLE_USE,)),
    ),
    Variant(
        (M.REREAD, M.GUARDED_WRITE),
        P.NOTHING_STALE,
        reduce(scenarios.REGENERATE, 0, 2),
        "The second transaction does not read generation, method and challenge again, and its write does not state "
        "which generation it expects.",
        frozenset((P.NOTHING_STALE,)),
    ),
    Variant(
        (M.REREAD,),
        P.ACCURATE,
        reduce(scenarios.REGENERATE, 0, 2),
        "The guarded write still stops the outdated code, but with an internal error: the answer cannot say that the "
        "code was replaced.",
    ),
    Variant(
        (M.MONOTONIC_GENERATION,),
        P.VALID_CODE,
        reduce(scenarios.REBUILD),
        "Removing the authenticator resets the generation to 0, so the next setup generates code 1 again.",
    ),
    Variant(
        (M.MONOTONIC_GENERATION,),
        P.NOTHING_STALE,
        reduce(scenarios.REBUILD),
        "The same reset. A running call verified a generation that now denotes another code.",
        frozenset((P.NOTHING_STALE,)),
    ),
    Variant(
        (M.COMMIT_BEFORE_ANSWER,),
        P.VALID_CODE,
        reduce(scenarios.STATEMENTS, 0, crashes=1),
        "The answer is sent before COMMIT.",
    ),
    Variant(
        (M.ONE_TRANSACTION,),
        P.VALID_CODE,
        reduce(scenarios.RACE, 0, crashes=1),
        "One transaction spends the old code; another stores the new code and opens the session.",
    ),
    Variant(
        (M.REPLY_FIRST,),
        P.RECOVERABLE,
        reduce(scenarios.RACE, 0, losses=1),
        "The stored reply is looked up after the checks that would refuse the call.",
    ),
    Variant(
        (M.ERASE_OWN_ONLY,),
        P.RECOVERABLE,
        reduce(scenarios.SAVED, losses=1),
        '"I have saved it" from any session erases the stored reply.',
    ),
    Variant(
        (M.CHARGED_IN_TIME,),
        P.RECOVERABLE,
        reduce(scenarios.TIME, losses=1),
        "A retry is refused because the challenge has expired, although the first attempt was charged in time and is "
        "still running.",
    ),
    Variant(
        (M.SETUP_REVERIFIED,),
        P.RECOVERABLE,
        reduce(scenarios.FIRST_SETUP, losses=1),
        "Only the first transaction of a setup verifies the app's code. A retry is refused because the code has "
        "expired, while the first call turns the authenticator on.",
    ),
    Variant(
        (M.SAME_AUTHENTICATOR,),
        P.RECOVERABLE,
        reduce(scenarios.TWO_TABS, losses=2),
        "A regeneration replaces the current backup code even if it belongs to another authenticator than the one that "
        "was on when the call began.",
    ),
    Variant(
        (M.CHARGE_FIRST,),
        P.COUNTED,
        reduce(scenarios.GUESSES, 1),
        "The code is verified first; charge and verdict are committed together.",
    ),
    Variant(
        (M.RETURNED_REFUSAL,),
        P.COUNTED,
        reduce(scenarios.GUESSES, 1),
        "Charge and verification share a transaction. The refusal leaves it as an exception, which rolls the charge "
        "back.",
    ),
    Variant(
        (M.GUARDED_CHARGE, M.ATTEMPTS_CHECK),
        P.COUNTED,
        reduce(scenarios.GUESSES, 1, 2),
        "The charge increments the counter without checking it, and no constraint limits it.",
    ),
    Variant(
        (M.GUARDED_CHARGE,),
        P.ACCURATE,
        reduce(scenarios.GUESSES, 1, 2),
        "The charge increments the counter without checking it. The constraint stops the sixth guess with an internal "
        "error.",
    ),
    Variant(
        (M.CHARGE_ONCE, M.ATTEMPT_KEY),
        P.COUNTED,
        reduce(scenarios.RACE, 0, crashes=1),
        "The server does not check whether this code was charged on this challenge before.",
    ),
    Variant(
        (M.CHARGE_ONCE, M.ATTEMPT_KEY),
        P.ACCURATE,
        reduce(scenarios.GUESSES, 0, crashes=1),
        "The same check is missing. After four wrong codes the owner's retry is charged as the sixth attempt and "
        "refused.",
        frozenset((P.ACCURATE,)),
    ),
    Variant(
        (M.CHARGE_ONCE,),
        P.ACCURATE,
        reduce(scenarios.RACE, 0, crashes=1),
        "The same check is missing. The unique key of attempts stops the second charge with an internal error, on "
        "every retry.",
    ),
    Variant(
        (M.ROW_LOCK, M.COMPLETION_GUARD, M.SESSION_KEY),
        P.SINGLE_USE,
        APP,
        "The app's code and the backup code both read the challenge as open, and nothing checks it again.",
        frozenset((P.SINGLE_USE,)),
    ),
    Variant(
        (M.VERDICT_PER_GENERATION,),
        P.NOTHING_STALE,
        replace(reduce(scenarios.REGENERATE), prompt_answers=False),
        "Concurrent calls with one code on one server share a verification. Without the generation in its key, the "
        "verdict on an outdated code is applied to the current one.",
    ),
    Variant(
        (M.VERSION_REREAD,),
        P.NOTHING_STALE,
        reduce(scenarios.SIGN_IN),
        "A sign-in starts with the password that was verified before the lock, whether or not it has changed since.",
    ),
    Variant(
        (M.ROW_LOCK,),
        P.FIRST_FACTOR,
        replace(reduce(scenarios.LAST_IDENTITY, 0, 1), by_statement=True),
        "Each of two tabs reads the other identity as linked and unlinks its own. No guarded write helps, because the "
        "two write different rows.",
        frozenset((P.FIRST_FACTOR,)),
    ),
    Variant(
        (M.REREAD,),
        P.FIRST_FACTOR,
        reduce(scenarios.LAST_IDENTITY, 0, 1),
        "The rows are locked, but the second transaction relies on the other first factor that the first one counted.",
    ),
    Variant(
        (M.LINK_REREAD,),
        P.NOTHING_STALE,
        reduce(scenarios.LAST_IDENTITY, 0, 2),
        "A sign-in starts with an identity that was linked when its provider answered, whether or not it still is.",
    ),
    Variant(
        (M.VOID_CHALLENGES,),
        P.NOTHING_STALE,
        reduce(scenarios.ADDRESS, 1, 2),
        "The address changes, and a challenge that was started for the old address stays open.",
    ),
)
"""A promise must break in each."""


def _hold(promise: P, scenario: Scenario, *groups: tuple[M, ...]) -> tuple[Variant, ...]:
    return tuple(Variant(removed, None, scenario, checked=frozenset((promise,))) for removed in groups)


REDUNDANT_GUARDS = (
    *_hold(
        P.SINGLE_USE,
        replace(RACE, crashes=1),
        (M.ROW_LOCK,),
        (M.SPENT_KEY,),
        (M.GUARDED_WRITE,),
        (M.ROW_LOCK, M.SPENT_KEY),
        (M.ROW_LOCK, M.GUARDED_WRITE),
        (M.SPENT_KEY, M.GUARDED_WRITE),
    ),
    *_hold(
        P.SINGLE_USE,
        replace(APP, crashes=1),
        (M.ROW_LOCK, M.COMPLETION_GUARD),
        (M.ROW_LOCK, M.SESSION_KEY),
        (M.COMPLETION_GUARD, M.SESSION_KEY),
    ),
    *_hold(P.NOTHING_STALE, reduce(scenarios.REGENERATE, crashes=1), (M.REREAD,), (M.GUARDED_WRITE,)),
    *_hold(
        P.COUNTED,
        reduce(scenarios.GUESSES, crashes=1),
        (M.GUARDED_CHARGE,),
        (M.ATTEMPTS_CHECK,),
        (M.CHARGE_ONCE,),
        (M.ATTEMPT_KEY,),
    ),
)
"""Another mechanism closes the same gap, so the promise must hold in each."""
