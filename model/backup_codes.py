"""UseBackupCode, as in the server's ``flows/backup_codes.py``: charge, verify, then refuse or replace.

Each public function is one transaction. Branches on ``ctx.has`` show what happens without a mechanism.
"""

from model import statements
from model.calls import Next, Outcome, Result, Transaction, UseBackupCode
from model.database import Refused, Steps, Violated
from model.mechanisms import Context, Mechanism
from model.rows import AUTHENTICATOR, Attempt, Challenge, Factor
from model.sign_in import complete_sign_in, replay

CHARGED = "backup-code-charged"
VERIFIED = "backup-code-verified"
"""Not a transaction: Argon2id runs, and decides between the next two."""
REFUSED = "backup-code-refused"
REPLACED = "backup-code-replaced"

# Transactions that only a variant has.
LOOKED_UP = "backup-code-looked-up"
CHARGED_LATE = "backup-code-charged-late"
ALL_IN_ONE = "backup-code-charged-and-verified"
NEW_CODE_STORED = "new-code-stored"


def first_transaction(removed: frozenset[Mechanism]) -> str:
    """The transaction that UseBackupCode begins with."""
    if Mechanism.CHARGE_FIRST in removed:
        return LOOKED_UP
    return ALL_IN_ONE if Mechanism.RETURNED_REFUSAL in removed else CHARGED


def charge(ctx: Context, use: UseBackupCode) -> Steps[Result]:
    """The first transaction: replay, refuse what must not be verified, charge the attempt."""
    factor, challenge = yield from statements.lock_factor_and_challenge(ctx, use.challenge)
    if ctx.has(Mechanism.REPLY_FIRST):
        stored = yield from replay(use, challenge)
        if stored:
            return stored
    attempt = yield from statements.find_attempt(ctx, use.challenge, use.code)
    _check_live(ctx, challenge, attempt)
    _check_method(factor)
    spent = yield from statements.is_spent(use.code)
    if attempt is None:
        return (yield from _charge_new(ctx, use, factor, spent=spent))
    if attempt.verdict == "wrong":
        raise Refused("CODE_MISMATCH")
    if attempt.verdict == "used":
        raise Refused("CODE_ALREADY_USED")
    # A crash left the charged attempt without a verdict: it is verified again, at no charge.
    if spent:
        yield from statements.finalize_attempt(use.challenge, use.code, Attempt("used"))
        return Outcome("CODE_ALREADY_USED")
    if not ctx.has(Mechanism.REPLY_FIRST):
        stored = yield from replay(use, challenge)
        if stored:
            return stored
    return Next(VERIFIED, (factor.generation, factor.code))


def _check_live(ctx: Context, challenge: Challenge, attempt: Attempt | None) -> None:
    in_time = ctx.has(Mechanism.CHARGED_IN_TIME) and attempt is not None and attempt.verdict == "pending"
    if challenge.void or (challenge.expired and not in_time):
        raise Refused("CHALLENGE_EXPIRED")


def _check_method(factor: Factor) -> None:
    if factor.method != AUTHENTICATOR:
        raise Refused("METHOD_NOT_ACTIVE")


def _charge_new(ctx: Context, use: UseBackupCode, factor: Factor, *, spent: bool) -> Steps[Result]:
    if not (yield from statements.count_attempt(ctx, use.challenge)):
        raise Refused("CHALLENGE_EXHAUSTED")
    yield from statements.record_attempt(ctx, use.challenge, use.code, Attempt("used" if spent else "pending"))
    if spent:
        return Outcome("CODE_ALREADY_USED")
    return Next(VERIFIED, (factor.generation, factor.code))


def refuse(ctx: Context, use: UseBackupCode) -> Steps[Result]:
    """The code was wrong: finalize the attempt."""
    yield from statements.lock_factor_and_challenge(ctx, use.challenge)
    yield from statements.finalize_attempt(use.challenge, use.code, Attempt("wrong"))
    return Outcome("CODE_MISMATCH")


def replace(ctx: Context, use: UseBackupCode, generation: int) -> Steps[Result]:
    """The code was right: re-read under the lock what the first transaction read, then change everything."""
    factor, challenge = yield from statements.lock_factor_and_challenge(ctx, use.challenge)
    concurrent = yield from _concurrent_outcome(ctx, use, factor, challenge, generation)
    if concurrent is not None:
        if not concurrent.replayed:
            yield from statements.finalize_attempt(use.challenge, use.code, _verdict(concurrent))
        return concurrent
    try:
        yield from statements.spend(ctx, generation, use.code)
    except Violated:
        raise Refused("CODE_ALREADY_USED", alarm=True) from None
    if not ctx.has(Mechanism.ONE_TRANSACTION):
        yield from statements.finalize_attempt(use.challenge, use.code, Attempt("right"))
        return Next(NEW_CODE_STORED, (generation,))
    return (yield from _store_new_code(ctx, use, generation))


def store_new_code(ctx: Context, use: UseBackupCode, generation: int) -> Steps[Result]:
    """Without "code replaced in one transaction": the second half."""
    yield from statements.lock_factor_and_challenge(ctx, use.challenge)
    return (yield from _store_new_code(ctx, use, generation))


def _store_new_code(ctx: Context, use: UseBackupCode, generation: int) -> Steps[Outcome]:
    new_code = ctx.new_code(generation + 1)
    yield from statements.replace_backup_code(ctx, generation, new_code)
    yield from statements.erase_superseded(generation + 1)
    yield from statements.finalize_attempt(use.challenge, use.code, Attempt("right"))
    return (yield from complete_sign_in(ctx, use, new_code, generation + 1))


def _concurrent_outcome(
    ctx: Context, use: UseBackupCode, factor: Factor, challenge: Challenge, generation: int
) -> Steps[Outcome | None]:
    """The answer if another call changed something between the two transactions, or None."""
    try:
        stored = yield from replay(use, challenge)
        if stored:
            return stored
        if not ctx.has(Mechanism.REREAD):
            return None
        if challenge.void:
            return Outcome("CHALLENGE_EXPIRED")
        _check_method(factor)
    except Refused as refused:
        return Outcome(refused.reason)
    if factor.generation == generation:
        return None
    spent = yield from statements.is_generation_spent(generation)
    return Outcome("CODE_ALREADY_USED" if spent else "CODE_MISMATCH")


def _verdict(concurrent: Outcome) -> Attempt:
    if concurrent.reason == "CODE_ALREADY_USED":
        return Attempt("used")
    return Attempt("wrong" if concurrent.reason == "CODE_MISMATCH" else "right")


def look_up(ctx: Context, use: UseBackupCode) -> Steps[Result]:
    """Without "charge before verification": read only, verify, charge afterwards."""
    factor, challenge = yield from statements.lock_factor_and_challenge(ctx, use.challenge)
    stored = yield from replay(use, challenge)
    if stored:
        return stored
    _check_live(ctx, challenge, None)
    _check_method(factor)
    return Next(VERIFIED, (factor.generation, factor.code))


def charge_late(ctx: Context, use: UseBackupCode, generation: int, right: bool) -> Steps[Result]:
    """Without "charge before verification": charge and act on the verdict in one transaction."""
    charged = yield from charge(ctx, use)
    if isinstance(charged, Outcome):
        return charged
    return (yield from (replace(ctx, use, generation) if right else refuse(ctx, use)))


def charge_and_verify(ctx: Context, use: UseBackupCode) -> Steps[Result]:
    """Without "refusal returned, not raised": one transaction, which a wrong code leaves by an exception."""
    charged = yield from charge(ctx, use)
    if isinstance(charged, Outcome):
        return charged
    generation, code = charged.facts
    if code != use.code:
        raise Refused("CODE_MISMATCH")
    return (yield from replace(ctx, use, generation))


TRANSACTIONS: dict[str, Transaction] = {
    CHARGED: charge,
    REFUSED: refuse,
    REPLACED: replace,
    NEW_CODE_STORED: store_new_code,
    LOOKED_UP: look_up,
    CHARGED_LATE: charge_late,
    ALL_IN_ONE: charge_and_verify,
}
