"""The lines behind the line: mechanisms that guard one gap together. Without these, the promise still holds."""

from dataclasses import replace

from model import scenarios
from model.mechanisms import Mechanism as M
from model.mechanisms import Promise as P
from model.variant import Variant, few
from model.variants import RACE, SIGN_IN
from model.world import Scenario

_RACE = replace(RACE, crashes=1)
_SIGN_IN = replace(SIGN_IN, crashes=1)


def _hold(promise: P, scenario: Scenario, *groups: tuple[M, ...]) -> tuple[Variant, ...]:
    return tuple(Variant(removed, None, scenario, looking_at=frozenset((promise,))) for removed in groups)


SECOND_LINES = (
    *_hold(
        P.TWICE,
        _RACE,
        (M.ROW_LOCK,),
        (M.SPENT_KEY,),
        (M.GUARDED_WRITE,),
        (M.ROW_LOCK, M.SPENT_KEY),
        (M.ROW_LOCK, M.GUARDED_WRITE),
        (M.SPENT_KEY, M.GUARDED_WRITE),
    ),
    *_hold(
        P.TWICE,
        _SIGN_IN,
        (M.ROW_LOCK, M.COMPLETION_GUARD),
        (M.ROW_LOCK, M.SESSION_KEY),
        (M.COMPLETION_GUARD, M.SESSION_KEY),
    ),
    *_hold(P.DEAD, few(scenarios.REGENERATE, crashes=1), (M.REREAD,), (M.GUARDED_WRITE,)),
    *_hold(
        P.FREE,
        few(scenarios.GUESSES, crashes=1),
        (M.GUARDED_CHARGE,),
        (M.ATTEMPTS_CHECK,),
        (M.CHARGE_ONCE,),
        (M.ATTEMPT_KEY,),
    ),
)
