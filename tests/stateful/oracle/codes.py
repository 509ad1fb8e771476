"""E-mail codes and authenticator codes: each call is one step, and a guess is charged in it."""

from dataclasses import replace

from tests.stateful.oracle import challenges
from tests.stateful.oracle.answers import Refusal, Refused
from tests.stateful.oracle.calls import SendEmailCode, VerifyAuthenticatorCode, VerifyEmailCode
from tests.stateful.oracle.forms import digits
from tests.stateful.oracle.mailing import send
from tests.stateful.oracle.moments import Moment, Outcomes, accepted_step
from tests.stateful.oracle.state import MINUTE, Account, Challenge, Failures, Method
from tests.stateful.oracle.suspension import failed

DISABLED_AFTER = 100


def send_email_code(account: Account, call: SendEmailCode, at: Moment) -> Outcomes:
    """Another code replaces the one before. The same request_id sends nothing."""
    challenge = challenges.find(account, call.challenge)
    challenges.check_open(account, challenge, Method.EMAIL, at.now)
    _check_attempts(challenge)
    if not call.request_id or call.request_id not in {code.request_id for code in challenge.codes}:
        account = send(account, call.challenge, call.request_id, call.ip, at.now)
    yield account, challenges.seen(account, call.challenge, call.ip, at.now)


def verify_email_code(account: Account, call: VerifyEmailCode, at: Moment) -> Outcomes:
    """The challenge's newest code opens a session, for five minutes, once."""
    typed = digits(call.code)
    content = ("VerifyEmailCode", typed)
    if before := challenges.replay(account, call, content, at.now):
        yield before
        return
    challenge = challenges.find(account, call.challenge)
    challenges.check_open(account, challenge, Method.EMAIL, at.now)
    _check_attempts(challenge)
    _check_wait(account.factor.email_failures, at)
    mailed = [at.mailed.get(code.ip) for code in challenge.codes]
    if typed not in mailed:
        failures = account.factor.email_failures.again(at.now)
        account = account.with_factor(email_failures=failures)
        yield _charged(account, call, "CODE_MISMATCH", at)
    elif typed != mailed[-1]:
        yield _charged(account, call, "CODE_SUPERSEDED", at)
    elif at.now >= challenge.codes[-1].created + 5 * MINUTE:
        yield account.audited("verify_email_code", "CODE_EXPIRED"), Refused("CODE_EXPIRED")
    else:
        account = replace(account.with_factor(email_failures=Failures()), verified=True)
        yield challenges.complete(account, call, content, at)


def verify_authenticator_code(account: Account, call: VerifyAuthenticatorCode, at: Moment) -> Outcomes:
    """A code of the window opens a session, unless its step or a later one was accepted before."""
    typed = digits(call.code)
    content = ("VerifyAuthenticatorCode", typed)
    if before := challenges.replay(account, call, content, at.now):
        yield before
        return
    challenge = challenges.find(account, call.challenge)
    challenges.check_open(account, challenge, Method.APP, at.now)
    _check_attempts(challenge)
    account, reason = judge_app_code(account, typed, at)
    if reason == "CODE_MISMATCH":
        yield _charged(account, call, reason, at)
    elif reason:
        yield account.audited("verify_authenticator_code", reason), Refused(reason)
    else:
        yield challenges.complete(account, call, content, at)


def judge_app_code(account: Account, typed: str, at: Moment) -> tuple[Account, str]:
    """Accept the step ("") or say why not; a wrong code is a failure of the account's, a spent one costs nothing."""
    factor = account.factor
    if factor.disabled:
        raise Refusal("AUTHENTICATOR_DISABLED")
    _check_wait(factor.app_failures, at)
    step = accepted_step(factor.secret, typed, at.now)
    if step is None:
        failures = factor.app_failures.again(at.now)
        disabled = failures.count >= DISABLED_AFTER
        return account.with_factor(app_failures=failures, disabled=disabled), "CODE_MISMATCH"
    if step <= factor.last_step:
        return account, "CODE_ALREADY_USED"
    return account.with_factor(last_step=step, app_failures=Failures()), ""


def _charged(
    account: Account, call: VerifyEmailCode | VerifyAuthenticatorCode, reason: str, at: Moment
) -> tuple[Account, Refused]:
    challenge = account.challenges[call.challenge]
    account = failed(account, at.now)
    account = account.with_challenge(call.challenge, attempts=challenge.attempts + 1)
    action = "verify_email_code" if isinstance(call, VerifyEmailCode) else "verify_authenticator_code"
    return account.audited(action, reason), Refused(reason, attempts_left=challenge.attempts_left - 1)


def _check_attempts(challenge: Challenge) -> None:
    if not challenge.attempts_left:
        raise Refusal("CHALLENGE_EXHAUSTED")


def _check_wait(failures: Failures, at: Moment) -> None:
    if left := failures.left(at.now):
        raise Refusal("ATTEMPTS_THROTTLED", retry_after=left)
