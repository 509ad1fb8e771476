"""UseBackupCode, as in the server's ``flows/backup_codes.py``: charge, judge, then refuse or replace.

Each function is one transaction. Where a mechanism can be taken out, the code says what is done without it.
"""

from model.calls import Next, Outcome, Result, Use
from model.completion import complete_sign_in, lock_both, replay
from model.database import Refused, Steps, Violated
from model.mechanisms import Mechanism, Protocol
from model.rows import AUTHENTICATOR, Attempt, Challenge, Factor
from model.statements import (
    add_attempt,
    charge_attempt,
    erase_superseded,
    find_attempt,
    generation_spent,
    replace_backup_code,
    settle,
    spend,
    spent,
)

CHARGED = "backup-code-charged"
JUDGED = "backup-code-judged"
REFUSED = "backup-code-refused"
REPLACED = "backup-code-replaced"

# Steps that exist only where a mechanism was taken out.
LOOKED_UP = "backup-code-looked-up"
CHARGED_LATE = "backup-code-charged-late"
ALL_IN_ONE = "backup-code-charged-and-judged"
NEW_CODE_IN = "new-code-in"


def first_phase(p: Protocol) -> str:
    """The first step of a use."""
    if not p.has(Mechanism.CHARGE_BEFORE_VERDICT):
        return LOOKED_UP
    return CHARGED if p.has(Mechanism.KEPT_REFUSAL) else ALL_IN_ONE


def charge(p: Protocol, use: Use) -> Steps[Result]:
    """The first transaction: replay, refuse what may not be judged, charge the attempt."""
    factor, challenge = yield from lock_both(p, use.challenge)
    if p.has(Mechanism.REPLY_FIRST):
        shown = yield from replay(use, challenge)
        if shown:
            return shown
    attempt = yield from find_attempt(p, use.challenge, use.code)
    _check_live(p, challenge, attempt)
    _check_method(factor)
    used = yield from spent(use.code)
    if attempt is None:
        result = yield from _charge_new(p, use, factor, used=used)
        return result
    if attempt.verdict == "wrong":
        raise Refused("CODE_MISMATCH")
    if attempt.verdict == "used":
        raise Refused("CODE_ALREADY_USED")
    # Charged before, and left without a verdict by a crash: judged again, free.
    if used:
        yield from settle(use.challenge, use.code, Attempt("used"))
        return Outcome("CODE_ALREADY_USED")
    if not p.has(Mechanism.REPLY_FIRST):
        shown = yield from replay(use, challenge)
        if shown:
            return shown
    return Next(JUDGED, (factor.generation, factor.code))


def _check_live(p: Protocol, challenge: Challenge, attempt: Attempt | None) -> None:
    in_time = p.has(Mechanism.CHARGED_IN_TIME) and attempt is not None and attempt.verdict == "pending"
    if challenge.void or (challenge.over and not in_time):
        raise Refused("CHALLENGE_EXPIRED")


def _check_method(factor: Factor) -> None:
    if factor.method != AUTHENTICATOR:
        raise Refused("METHOD_NOT_ACTIVE")


def _charge_new(p: Protocol, use: Use, factor: Factor, *, used: bool) -> Steps[Result]:
    left = yield from charge_attempt(p, use.challenge)
    if left is None:
        raise Refused("CHALLENGE_EXHAUSTED")
    yield from add_attempt(p, use.challenge, use.code, Attempt("used" if used else "pending"))
    if used:
        return Outcome("CODE_ALREADY_USED")
    return Next(JUDGED, (factor.generation, factor.code))


def refuse(p: Protocol, use: Use) -> Steps[Result]:
    """The code was wrong: say so in the attempt."""
    yield from lock_both(p, use.challenge)
    yield from settle(use.challenge, use.code, Attempt("wrong"))
    return Outcome("CODE_MISMATCH")


def replace(p: Protocol, use: Use, generation: int, who: str) -> Steps[Result]:
    """The second transaction: what was true is read again under the lock, then all of it changes."""
    factor, challenge = yield from lock_both(p, use.challenge)
    overtaken = yield from _overtaken(p, use, factor, challenge, generation)
    if overtaken is not None:
        if not overtaken.replayed:
            yield from settle(use.challenge, use.code, _verdict(overtaken))
        return overtaken
    try:
        yield from spend(p, generation, use.code, who)
    except Violated:
        raise Refused("CODE_ALREADY_USED", alarm=True) from None
    if not p.has(Mechanism.ONE_TRANSACTION):
        yield from settle(use.challenge, use.code, Attempt("right"))
        return Next(NEW_CODE_IN, (generation,))
    result = yield from _put_in(p, use, generation, who)
    return result


def new_code_in(p: Protocol, use: Use, generation: int, who: str) -> Steps[Result]:
    """Without "one transaction": the second half, on its own."""
    yield from lock_both(p, use.challenge)
    result = yield from _put_in(p, use, generation, who)
    return result


def _put_in(p: Protocol, use: Use, generation: int, who: str) -> Steps[Outcome]:
    new = f"{generation + 1}{who}"
    yield from replace_backup_code(p, generation, new)
    yield from erase_superseded(generation + 1)
    yield from settle(use.challenge, use.code, Attempt("right"))
    done = yield from complete_sign_in(p, use, who, new, generation + 1)
    return done


def _overtaken(p: Protocol, use: Use, factor: Factor, challenge: Challenge, generation: int) -> Steps[Outcome | None]:
    """What came between the two transactions; None if nothing did."""
    try:
        shown = yield from replay(use, challenge)
        if shown:
            return shown
        if not p.has(Mechanism.REREAD):
            return None
        if challenge.void:
            return Outcome("CHALLENGE_EXPIRED")
        _check_method(factor)
    except Refused as refused:
        return Outcome(refused.reason)
    if factor.generation == generation:
        return None
    used = yield from generation_spent(generation)
    return Outcome("CODE_ALREADY_USED" if used else "CODE_MISMATCH")


def _verdict(overtaken: Outcome) -> Attempt:
    if overtaken.reason == "CODE_ALREADY_USED":
        return Attempt("used")
    return Attempt("wrong" if overtaken.reason == "CODE_MISMATCH" else "right")


def look_up(p: Protocol, use: Use) -> Steps[Result]:
    """Without "charge before verdict": only look, so as to judge first and charge afterwards."""
    factor, challenge = yield from lock_both(p, use.challenge)
    shown = yield from replay(use, challenge)
    if shown:
        return shown
    _check_live(p, challenge, None)
    _check_method(factor)
    return Next(JUDGED, (factor.generation, factor.code))


def charge_late(p: Protocol, use: Use, generation: int, who: str, *, right: bool) -> Steps[Result]:
    """Without "charge before verdict": charge and act on the verdict in one transaction."""
    charged = yield from charge(p, use)
    if isinstance(charged, Outcome):
        return charged
    result = yield from (replace(p, use, generation, who) if right else refuse(p, use))
    return result


def charge_and_judge(p: Protocol, use: Use, who: str) -> Steps[Result]:
    """Without "refusal returned, not raised": everything in one transaction, and a wrong code raises out of it."""
    charged = yield from charge(p, use)
    if isinstance(charged, Outcome):
        return charged
    generation, code = charged.facts
    if code != use.code:
        raise Refused("CODE_MISMATCH")
    result = yield from replace(p, use, generation, who)
    return result
