"""The first factor, and the challenge that comes of it: StartSignIn and GetChallenge, and how a challenge ends well."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.stateful.oracle import replies
from tests.stateful.oracle.answers import ChallengeSeen, Refusal, Refused, SignedIn, Started
from tests.stateful.oracle.calls import (
    GetChallenge,
    StartSignIn,
    UseBackupCode,
    VerifyAuthenticatorCode,
    VerifyEmailCode,
)
from tests.stateful.oracle.linking import linked_as
from tests.stateful.oracle.mailing import next_send, send
from tests.stateful.oracle.moments import Moment, Next, Outcomes, network
from tests.stateful.oracle.state import MINUTE, Account, Challenge, Failures, Method, ProvenBy, Session

TOLERANCE = timedelta(seconds=2)
"""How far a trusted caller's clock may run ahead."""

Proving = VerifyEmailCode | VerifyAuthenticatorCode | UseBackupCode


def start_sign_in(account: Account, call: StartSignIn, at: Moment) -> Outcomes:
    """A caller's word must be recent; a password is not looked at while its network waits. From the fourth failure on
    it is counted before it is judged."""
    if call.asserted is not None:
        if not at.now - 10 * MINUTE <= call.asserted.time <= at.now + TOLERANCE:
            raise Refusal("INVALID_FIELD", field="asserted.auth_time")
        yield account, Next(_open, (account.password_version,))
        return
    if call.credential is not None:
        if not call.credential.given:
            raise Refusal("CREDENTIALS_MISMATCH")
        _check_linked(account, call)
        yield account, Next(_open, (account.password_version,))
        return
    failures = account.sign_ins.get(network(call.ip), Failures())
    if left := failures.left(at.now):
        raise Refusal("ATTEMPTS_THROTTLED", retry_after=left)
    charged = failures.count >= 4
    yield (_failed(account, call, at) if charged else account), Next(_judge, (charged, failures.count > 0))


def _judge(account: Account, call: StartSignIn, at: Moment, charged: bool, failed: bool) -> Outcomes:
    """A wrong password is counted, if it was not before; a right one clears the failures that were seen before it."""
    if not account.password or call.password != account.password:
        account = account if charged else _failed(account, call, at)
        yield account.audited("start_sign_in", "CREDENTIALS_MISMATCH"), Refused("CREDENTIALS_MISMATCH")
        return
    if failed:
        others = {name: counted for name, counted in account.sign_ins.items() if name != network(call.ip)}
        account = replace(account, sign_ins=others)
    yield account, Next(_open, (account.password_version,))


def _failed(account: Account, call: StartSignIn, at: Moment) -> Account:
    """With one failure more of the call's network."""
    prefix = network(call.ip)
    failures = account.sign_ins.get(prefix, Failures())
    return replace(account, sign_ins={**account.sign_ins, prefix: failures.again(at.now)})


def _check_linked(account: Account, call: StartSignIn) -> None:
    if call.credential is not None and linked_as(account.identities, call.credential.identity) is None:
        raise Refusal("IDENTITY_NOT_LINKED")


def _open(account: Account, call: StartSignIn, at: Moment, version: int) -> Outcomes:
    """A right first factor opens a challenge, if it is still that and not suspended; on e-mail codes it is mailed its
    first code, or is not opened."""
    if account.password_version != version:
        raise Refusal("CREDENTIALS_MISMATCH")
    if account.suspended:
        yield account.audited("start_sign_in", "FIRST_FACTOR_SUSPENDED"), Refused("FIRST_FACTOR_SUSPENDED")
        return
    _check_linked(account, call)
    token = at.fresh.token
    begun_by = call.credential.identity.first_factor if call.credential else "asserted" if call.asserted else "password"
    challenge = Challenge(at.now, begun_by, remember_me=call.remember_me)
    account = replace(account, challenges={**account.challenges, token: challenge}).audited("start_sign_in")
    if account.factor.method is Method.EMAIL:
        account = send(account, token, "", call.ip, at.now)
    yield account, Started(token, seen(account, token, call.ip, at.now))


def get_challenge(account: Account, call: GetChallenge, at: Moment) -> Outcomes:
    """The challenge in whatever state. The caller does not say for whom, so no network's budget is looked at."""
    find(account, call.challenge)
    yield account, seen(account, call.challenge, "", at.now)


def seen(account: Account, token: str, ip: str, now: datetime) -> ChallengeSeen:
    """All that the page "Verify It's You" needs."""
    challenge, factor = account.challenges[token], account.factor
    by_mail = factor.method is Method.EMAIL
    due = next_send(account, token, network(ip), now) if by_mail else None
    return ChallengeSeen(
        second_factor=factor.method,
        backup_code_accepted=not by_mail,
        attempts_left=challenge.attempts_left,
        waits=waits(account, now),
        authenticator_disabled=factor.disabled,
        code_expires=challenge.codes[-1].created + 5 * MINUTE if by_mail and challenge.codes else None,
        next_send=due if due and due < challenge.expires else None,
        expires=challenge.expires,
        state=challenge.state(now),
    )


def waits(account: Account, now: datetime) -> tuple[tuple[str, datetime], ...]:
    """The active method's wait, if one is in force."""
    factor = account.factor
    failures = factor.email_failures if factor.method is Method.EMAIL else factor.app_failures
    return ((str(factor.method), failures.until),) if failures.until and failures.left(now) else ()


def find(account: Account, token: str) -> Challenge:
    """The challenge; unknown: CHALLENGE_NOT_FOUND."""
    challenge = account.challenges.get(token)
    if challenge is None:
        raise Refusal("CHALLENGE_NOT_FOUND")
    return challenge


def check_open(account: Account, challenge: Challenge, method: Method, now: datetime) -> None:
    """Refuse what is over, or is not for this method. Whether attempts are left is for the charge to say."""
    if challenge.completed:
        raise Refusal("CHALLENGE_CONSUMED")
    if challenge.over(now):
        raise Refusal("CHALLENGE_EXPIRED")
    check_method(account, method)


def check_method(account: Account, method: Method) -> None:
    """Refuse a method that is not the active one."""
    if account.factor.method is not method:
        refusal = Refusal("METHOD_NOT_ACTIVE")
        refusal.answer = replace(refusal.answer, active_method=str(account.factor.method))
        raise refusal


def replay(account: Account, call: Proving, content: tuple[str, ...], now: datetime) -> tuple[Account, SignedIn] | None:
    """For a completed challenge, before every other check: the same logical call is answered the same, any other is
    CHALLENGE_CONSUMED."""
    if not find(account, call.challenge).completed:
        return None
    answer = replies.replayed(account, call.challenge, call.request_id, content, now)
    if not isinstance(answer, SignedIn):
        raise Refusal("CHALLENGE_CONSUMED")
    return account.audited("replay"), answer


def complete(
    account: Account, call: Proving, content: tuple[str, ...], at: Moment, *, code: str = "", generation: int = 0
) -> tuple[Account, SignedIn]:
    """The challenge is completed, and its session open."""
    action, proven_by = _PROVEN[type(call)]
    challenge, token = account.challenges[call.challenge], at.fresh.token
    session = Session(
        at.fresh.session_id,
        challenge.begun_by,
        proven_by,
        at.now,
        created=at.now,
        last_active=at.now,
        ip=call.ip,
        remembered=challenge.remember_me,
    )
    account = replace(
        account.with_challenge(call.challenge, completed=True).audited(action),
        sessions={**account.sessions, token: session},
    )
    answer = SignedIn(token, session.seen(account), code, generation)
    return replies.keep(account, call.challenge, call.request_id, content, answer, token, at.now), answer


_PROVEN = {
    VerifyEmailCode: ("verify_email_code", ProvenBy.EMAIL_CODE),
    VerifyAuthenticatorCode: ("verify_authenticator_code", ProvenBy.APP),
    UseBackupCode: ("use_backup_code", ProvenBy.BACKUP_CODE),
}
