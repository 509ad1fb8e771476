"""UseBackupCode: never twice, never neither, never lost, never free.

Two steps, as its design says: the attempt is charged before anybody knows its verdict, and what the code is worth is
settled later. What other calls did in between is looked at again.
"""

from dataclasses import replace
from datetime import datetime

from tests.stateful.oracle import challenges, replies
from tests.stateful.oracle.answers import Answer, Refusal, Refused
from tests.stateful.oracle.calls import UseBackupCode
from tests.stateful.oracle.forms import symbols
from tests.stateful.oracle.moments import Moment, Next, Outcomes, frees_at, network
from tests.stateful.oracle.state import HOUR, Account, Guess, Method, Verdict
from tests.stateful.oracle.suspension import failed

PER_ACCOUNT = 80
PER_NETWORK = 30
JUDGED_AGAIN = 20

_ACTION = "use_backup_code"


def use_backup_code(account: Account, call: UseBackupCode, at: Moment) -> Outcomes:
    """Charge. A code that was tried on this challenge before is not charged again."""
    code = symbols(call.code)
    if before := challenges.replay(account, call, _content(call), at.now):
        yield before
        return
    challenge = challenges.find(account, call.challenge)
    challenges.check_open(account, challenge, Method.APP, at.now)
    guess, used = challenge.guesses.get(code), used_at(account, code)
    if guess is None:
        yield _charge(account, call, code, used, at)
    elif guess.verdict is Verdict.WRONG:
        yield account, Refused("CODE_MISMATCH", attempts_left=challenge.attempts_left)
    elif guess.verdict is Verdict.USED:
        yield account, Refused("CODE_ALREADY_USED", used_at=used)
    elif used:
        yield _settled(account, call, at, Refused("CODE_ALREADY_USED", used_at=used))
    elif guess.judged_again >= JUDGED_AGAIN:
        raise Refusal("CHALLENGE_EXHAUSTED")
    else:
        again = Guess(guess.verdict, guess.ip, guess.time, guess.judged_again + 1)
        yield account.with_guess(call.challenge, code, again), _to_judge(account, code, challenge.attempts_left)


def _charge(
    account: Account, call: UseBackupCode, code: str, used: datetime | None, at: Moment
) -> tuple[Account, Answer | Next]:
    """It costs an attempt of the challenge; unless it is a used code, a place in the budgets of the hour too."""
    challenge = account.challenges[call.challenge]
    left = challenge.attempts_left - 1
    if left < 0:
        raise Refusal("CHALLENGE_EXHAUSTED")
    account = account.with_challenge(call.challenge, attempts=challenge.attempts + 1)
    guess = Guess(Verdict.USED if used else Verdict.PENDING, call.ip, at.now)
    account = account.with_guess(call.challenge, code, guess)
    if used:
        return account.audited(_ACTION, "CODE_ALREADY_USED"), Refused("CODE_ALREADY_USED", used_at=used)
    _check_budgets(account, network(call.ip), at.now)
    return account, _to_judge(account, code, left)


def _check_budgets(account: Account, prefix: str, now: datetime) -> None:
    """Distinct codes of the last hour that are wrong or not judged yet, this one included: of the account, and of
    one network. A code counts from when it was first tried."""
    tried = sorted(
        (guess.time, code, network(guess.ip))
        for challenge in account.challenges.values()
        for code, guess in challenge.guesses.items()
        if guess.verdict in (Verdict.PENDING, Verdict.WRONG) and guess.time > now - HOUR
    )
    firsts = {code: time for time, code, _ in reversed(tried)}
    of_network = {code: time for time, code, place in reversed(tried) if place == prefix}
    for times, budget in ((firsts, PER_ACCOUNT), (of_network, PER_NETWORK)):
        frees = frees_at(sorted(times.values()), budget + 1)
        if frees:
            raise Refusal("ATTEMPTS_THROTTLED", retry_after=frees - now)


def _to_judge(account: Account, code: str, attempts_left: int) -> Next:
    """The verdict is on the code of this moment, and only this generation may be spent for it."""
    if code == account.factor.code:
        return Next(replace_code, (account.factor.generation,))
    return Next(refuse, (attempts_left,))


def refuse(account: Account, call: UseBackupCode, at: Moment, attempts_left: int) -> Outcomes:
    """The code was wrong."""
    yield _settled(account, call, at, Refused("CODE_MISMATCH", attempts_left=attempts_left))


def replace_code(account: Account, call: UseBackupCode, at: Moment, generation: int) -> Outcomes:
    """The code was right: if nothing came between, it is spent, and the next one takes its place."""
    try:
        before = challenges.replay(account, call, _content(call), at.now)
        if not before and account.challenges[call.challenge].voided:
            raise Refusal("CHALLENGE_EXPIRED")
        challenges.check_method(account, Method.APP)
    except Refusal as refusal:
        yield _settled(account, call, at, refusal.answer)
        return
    if before:
        yield before
    elif account.factor.generation != generation:
        yield _settled(account, call, at, _overtaken(account, call, generation))
    else:
        yield _spent(account, call, at)


def _overtaken(account: Account, call: UseBackupCode, generation: int) -> Refused:
    if generation in account.factor.spent:
        return Refused("CODE_ALREADY_USED", used_at=used_at(account, symbols(call.code)))
    return Refused("CODE_MISMATCH", attempts_left=account.challenges[call.challenge].attempts_left)


def _spent(account: Account, call: UseBackupCode, at: Moment) -> tuple[Account, Answer]:
    factor, code = account.factor, symbols(call.code)
    account = _judged(account, call, Verdict.RIGHT)[0].with_factor(
        spent={**factor.spent, factor.generation: (code, at.now)}
    )
    account = new_code(account, at).mailed("backup-code-used")
    return challenges.complete(
        account, call, _content(call), at, code=at.fresh.code, generation=account.factor.generation
    )


def new_code(account: Account, at: Moment, **changes: object) -> Account:
    """With the next generation's code, which is not saved; nothing shows an older one any more."""
    account = account.with_factor(
        generation=account.factor.generation + 1,
        code=symbols(at.fresh.code),
        code_created=at.now,
        saved=None,
        **changes,
    )
    return replies.erase_superseded(replace(account, shown=(*account.shown, at.fresh.code)))


def used_at(account: Account, code: str) -> datetime | None:
    """When the code was used, to the second, if it is one of the account's used ones."""
    return next((time.replace(microsecond=0) for used, time in account.factor.spent.values() if used == code), None)


def _settled(account: Account, call: UseBackupCode, at: Moment, answer: Refused) -> tuple[Account, Refused]:
    """The attempt gets its verdict, once; once the audit trail is told, and a wrong one counted. RIGHT: it opened
    nothing, but it was."""
    verdicts = {"CODE_ALREADY_USED": Verdict.USED, "CODE_MISMATCH": Verdict.WRONG}
    account, first = _judged(account, call, verdicts.get(answer.reason, Verdict.RIGHT))
    if not first:
        return account, answer
    if answer.reason == "CODE_MISMATCH":
        account = failed(account, at.now)
    return account.audited(_ACTION, answer.reason), answer


def _judged(account: Account, call: UseBackupCode, verdict: Verdict) -> tuple[Account, bool]:
    code = symbols(call.code)
    guess = account.challenges[call.challenge].guesses[code]
    if guess.verdict is not Verdict.PENDING:
        return account, False
    judged = Guess(verdict, guess.ip, guess.time, guess.judged_again)
    return account.with_guess(call.challenge, code, judged), True


def _content(call: UseBackupCode) -> tuple[str, ...]:
    return ("UseBackupCode", symbols(call.code))
