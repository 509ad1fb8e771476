"""How a sign-in ends, and the look-up of a reply given before: the server's ``flows/completion.py``."""

from model.calls import OK, Outcome, Use, VerifyApp
from model.database import Refused, Steps, Violated
from model.mechanisms import Protocol
from model.rows import AUTHENTICATOR, Challenge, Code, Factor, Reply, Session
from model.statements import (
    ATTEMPTS,
    GuardMissed,
    accept_step,
    complete,
    create_session,
    find_reply,
    keep_reply,
    lock_challenge,
    lock_factor,
)


def lock_both(p: Protocol, challenge: int) -> Steps[tuple[Factor, Challenge]]:
    """The account's row and the challenge, locked in that order, then read."""
    factor = yield from lock_factor(p)
    locked = yield from lock_challenge(p, challenge)
    return factor, locked


def replay(use: Use | VerifyApp, challenge: Challenge) -> Steps[Outcome | None]:
    """The answer that completed the challenge, to the same logical call; None while it is not completed."""
    if not challenge.completed:
        return None
    shown = yield from answered(scope_of(use.challenge), use.request, *content(use))
    if shown is None:
        raise Refused("CHALLENGE_CONSUMED")
    return shown


def answered(scope: str, request: str | None, method: str, what: str) -> Steps[Outcome | None]:
    """The reply given before to this logical call; None if there is none."""
    if request is None:
        return None
    reply = yield from find_reply(scope, request)
    if reply is None:
        return None
    if (reply.method, reply.content) != (method, what):
        raise Refused("REQUEST_ID_REUSED")
    if reply.erased is not None:
        raise Refused("REQUEST_ID_EXPIRED")
    session = reply.session if scope.startswith("challenge") else None
    return Outcome(OK, reply.code, reply.generation or 0, session, replayed=True)


def complete_sign_in(
    p: Protocol, use: Use | VerifyApp, who: str, new: Code | None = None, generation: int | None = None
) -> Steps[Outcome]:
    """Complete the challenge, open its session, keep the reply: together."""
    yield from complete(p, use.challenge)
    opened_by = use.code if isinstance(use, Use) else "app"
    yield from create_session(p, Session(use.challenge, opened_by, new), who)
    if use.request is not None:
        reply = Reply(*content(use), use.challenge, new, generation)
        yield from keep_reply(scope_of(use.challenge), use.request, reply)
    return Outcome(OK, new, generation or 0, use.challenge)


def verify_app(p: Protocol, call: VerifyApp, who: str) -> Steps[Outcome]:
    """VerifyAuthenticatorCode: one transaction, since judging is cheap. The digits are those of step 1, typed right."""
    factor, challenge = yield from lock_both(p, call.challenge)
    shown = yield from replay(call, challenge)
    if shown:
        return shown
    if challenge.void or challenge.over:
        raise Refused("CHALLENGE_EXPIRED")
    if factor.method != AUTHENTICATOR:
        raise Refused("METHOD_NOT_ACTIVE")
    if challenge.attempts >= ATTEMPTS:
        raise Refused("CHALLENGE_EXHAUSTED")
    if factor.last_step >= 1:
        return Outcome("CODE_ALREADY_USED")
    yield from accept_step(1)
    return (yield from complete_sign_in(p, call, who))


def scope_of(challenge: int) -> str:
    """Where the reply to a sign-in is kept."""
    return f"challenge {challenge}"


def content(use: Use | VerifyApp) -> tuple[str, str]:
    """The method and what is fingerprinted beside it."""
    return ("UseBackupCode", use.code) if isinstance(use, Use) else ("VerifyAuthenticatorCode", "")


ERRORS = (Violated, GuardMissed)
"""What the server answers INTERNAL to: a bug, or a lock that failed."""
