"""The protocol with something taken out: what must break, and what must not.

A mechanism that stands alone is taken out alone, and a promise breaks. Where several stand in one gap on purpose, each
is shown to hold without the others, and the promise to break without them all.
"""

from dataclasses import replace

from model import scenarios
from model.account_variants import ACCOUNT_BROKEN
from model.mechanisms import Mechanism as M
from model.mechanisms import Promise as P
from model.variant import Variant, few

RACE = few(scenarios.STATEMENTS)
"""Two uses of one code, statement by statement."""

SIGN_IN = replace(few(scenarios.APP, 0, 1), fine=True, prompt=False)
"""The app's code and the backup code on one sign-in, statement by statement."""

_TWICE = frozenset((P.TWICE,))

BROKEN = (
    Variant(
        (M.ROW_LOCK, M.SPENT_KEY, M.GUARDED_WRITE),
        P.TWICE,
        RACE,
        "Rows are read without FOR NO KEY UPDATE, a generation may be recorded as spent any number of times, and the "
        "new hash is written whatever generation stands there: look, then write, as most of the world does it.",
        _TWICE,
    ),
    Variant(
        (M.ROW_LOCK,),
        P.TRUE,
        RACE,
        "Rows are read without FOR NO KEY UPDATE. The lines behind the lock still keep the code from opening two "
        "sessions, but they do it by failing: an alarm here, an internal error there, where the lock would have let "
        "one call wait for the other and give a plain answer.",
    ),
    Variant(
        (M.REREAD, M.SPENT_KEY, M.GUARDED_WRITE),
        P.TWICE,
        few(scenarios.RACE, 0, 1),
        "The row is locked, but what was read before the lock is believed.",
        _TWICE,
    ),
    Variant(
        (M.REREAD, M.GUARDED_WRITE),
        P.DEAD,
        few(scenarios.REGENERATE, 0, 2),
        "The second transaction believes the first: generation, method and the challenge's state are not read again, "
        "and the write does not say which generation it expects.",
        frozenset((P.DEAD,)),
    ),
    Variant(
        (M.REREAD,),
        P.TRUE,
        few(scenarios.REGENERATE, 0, 2),
        "As above, but the write still says which generation it expects. It stops the dead code, by way of an internal "
        "error: nobody can tell the owner any more that the code has been replaced.",
    ),
    Variant(
        (M.MONOTONIC_GENERATION,),
        P.NEITHER,
        few(scenarios.REBUILD),
        "Removing the authenticator sets the generation back to 0, so that the next setup starts at 1 again.",
    ),
    Variant(
        (M.MONOTONIC_GENERATION,),
        P.DEAD,
        few(scenarios.REBUILD),
        "The same, looked at from the other side: a call that is under way knows the code by a number that now "
        "belongs to another code.",
        frozenset((P.DEAD,)),
    ),
    Variant(
        (M.COMMIT_BEFORE_ANSWER,),
        P.NEITHER,
        few(scenarios.STATEMENTS, 0, crashes=1),
        "The answer leaves while COMMIT is still on its way.",
    ),
    Variant(
        (M.ONE_TRANSACTION,),
        P.NEITHER,
        few(scenarios.RACE, 0, crashes=1),
        "One transaction spends the old code, a second one puts the new code in and opens the session.",
    ),
    Variant(
        (M.REPLY_FIRST,),
        P.LOST,
        few(scenarios.RACE, 0, losses=1),
        "The kept reply is looked up where it seems to belong: after the checks that would refuse the call anyway.",
    ),
    Variant(
        (M.ERASE_OWN_ONLY,),
        P.LOST,
        few(scenarios.SAVED, losses=1),
        "*I have saved it*, said from any session, erases the kept reply.",
    ),
    Variant(
        (M.CHARGED_IN_TIME,),
        P.LOST,
        few(scenarios.TIME, losses=1),
        "A repeated call is told that the sign-in has expired, although its first try was charged in time and is "
        "still under way.",
    ),
    Variant(
        (M.JUDGED_AGAIN,),
        P.LOST,
        few(scenarios.FIRST_SETUP, losses=1),
        "The app's digits are judged by the first transaction of a setup only. A repeated call finds them stale and "
        "refuses, while the first try goes on.",
    ),
    Variant(
        (M.SAME_AUTHENTICATOR,),
        P.LOST,
        few(scenarios.TWO_TABS, losses=2),
        "A regeneration replaces whatever backup code there is when it gets to it, not the code of the authenticator "
        "it was asked for.",
    ),
    Variant(
        (M.CHARGE_BEFORE_VERDICT,),
        P.FREE,
        few(scenarios.GUESSES, 1),
        "The code is judged first; charge and verdict are then committed together.",
    ),
    Variant(
        (M.KEPT_REFUSAL,),
        P.FREE,
        few(scenarios.GUESSES, 1),
        "Charge and judgement share a transaction, and the refusal is raised out of it as an exception, which rolls "
        "the charge back.",
    ),
    Variant(
        (M.GUARDED_CHARGE, M.ATTEMPTS_CHECK),
        P.FREE,
        few(scenarios.GUESSES, 1, 2),
        "The charge adds one without asking whether there was one left, and no constraint holds the counter.",
    ),
    Variant(
        (M.GUARDED_CHARGE,),
        P.TRUE,
        few(scenarios.GUESSES, 1, 2),
        "The charge adds one without asking. The constraint on the counter stops the sixth guess, by way of an "
        "internal error.",
    ),
    Variant(
        (M.CHARGE_ONCE, M.ATTEMPT_KEY),
        P.FREE,
        few(scenarios.RACE, 0, crashes=1),
        "Nobody looks whether this code was charged on this sign-in before.",
    ),
    Variant(
        (M.CHARGE_ONCE, M.ATTEMPT_KEY),
        P.TRUE,
        few(scenarios.GUESSES, 0, crashes=1),
        "The same, with four attempts gone: the owner's honest retry is the one too many.",
        frozenset((P.TRUE,)),
    ),
    Variant(
        (M.CHARGE_ONCE,),
        P.TRUE,
        few(scenarios.RACE, 0, crashes=1),
        "Nobody looks whether this code was charged before, but the key of the attempts stops the second charge, by "
        "way of an internal error: the honest retry can never succeed.",
    ),
    Variant(
        (M.ROW_LOCK, M.COMPLETION_GUARD, M.SESSION_KEY),
        P.TWICE,
        SIGN_IN,
        "The app's code and the backup code meet on one sign-in; both read it open, and nothing behind asks again.",
        _TWICE,
    ),
    Variant(
        (M.VERDICT_PER_GENERATION,),
        P.DEAD,
        replace(few(scenarios.REGENERATE), prompt=False),
        "Calls that race with one code on one server share one verdict. Without the generation in its name, the "
        "verdict on a dead code is taken for one on the living.",
    ),
    *ACCOUNT_BROKEN,
)
