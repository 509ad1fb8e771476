"""How a sign-in starts and ends, and how a repeated call is answered: the server's flows of sign-in.

Verifying passwords and provider sign-ins is left out, because they are correct; that the server reads again under the
lock what it verified without one is not.
"""

from model import statements
from model.calls import (
    OK,
    Next,
    Outcome,
    Result,
    StartSignIn,
    StartSignInByIdentity,
    UseBackupCode,
    VerifyAuthenticatorCode,
)
from model.database import Insert, Read, Refused, Steps
from model.mechanisms import Context, Mechanism
from model.rows import AUTHENTICATOR, Challenge, Code, Identity, Key, Reply, Session

SecondFactorCall = UseBackupCode | VerifyAuthenticatorCode

SIGN_IN_STARTED = "sign-in-started"


def verify_password(_ctx: Context, _call: StartSignIn) -> Steps[Result]:
    """``password-verified``: reads without a lock, because Argon2id takes long."""
    return Next(SIGN_IN_STARTED, ((yield from statements.read_password_version()),))


def exchange_identity(_ctx: Context, call: StartSignInByIdentity) -> Steps[Result]:
    """``identity-exchanged``: the provider has answered; reads the link without a lock."""
    yield from check_linked(call.identity, "IDENTITY_NOT_LINKED")
    return Next(SIGN_IN_STARTED, ((yield from statements.read_password_version()),))


def start(ctx: Context, call: StartSignIn | StartSignInByIdentity, verified_version: int) -> Steps[Result]:
    """``sign-in-started``: what was verified may have changed since."""
    yield from statements.lock_factor(ctx)
    account = yield from statements.read_account()
    changed = account.password_version != verified_version and ctx.has(Mechanism.VERSION_REREAD)
    if account.closed or changed:
        raise Refused("CREDENTIALS_MISMATCH")
    started_by = 0
    if isinstance(call, StartSignInByIdentity):
        started_by = call.identity
        if ctx.has(Mechanism.LINK_REREAD):
            yield from check_linked(call.identity, "IDENTITY_NOT_LINKED")
    key: Key = ("challenges", call.challenge)
    # A retry creates another challenge, and the first one's token is lost: one row represents both.
    if (yield Read(key)) is None:
        yield Insert(key, Challenge(password_version=verified_version, address=account.address, started_by=started_by))
    return Outcome(OK)


def is_linked(identity: int) -> Steps[bool]:
    row: Identity = yield Read(("identities", identity))
    return row.linked


def check_linked(identity: int, reason: str) -> Steps[None]:
    """Refuse with ``reason`` if the identity is not linked."""
    if not (yield from is_linked(identity)):
        raise Refused(reason)


def replay(call: SecondFactorCall, challenge: Challenge) -> Steps[Outcome | None]:
    """The stored answer that completed the challenge, for the same logical call; None while it is not completed."""
    if not challenge.completed:
        return None
    stored = yield from find_answer(challenge_scope(call.challenge), call.request, *content(call))
    if stored is None:
        raise Refused("CHALLENGE_CONSUMED")
    return stored


def find_answer(scope: str, request: str | None, method: str, fingerprinted: str) -> Steps[Outcome | None]:
    """The stored answer to this logical call, or None."""
    if request is None:
        return None
    reply = yield from statements.find_reply(scope, request)
    if reply is None:
        return None
    if (reply.method, reply.content) != (method, fingerprinted):
        raise Refused("REQUEST_ID_REUSED")
    if reply.erased is not None:
        raise Refused("REQUEST_ID_EXPIRED")
    session = reply.session if scope.startswith("challenge") else None
    return Outcome(OK, reply.code, reply.generation or 0, session, replayed=True)


def complete_sign_in(
    ctx: Context, call: SecondFactorCall, new_code: Code | None = None, generation: int | None = None
) -> Steps[Outcome]:
    """Complete the challenge, open its session and store the reply."""
    yield from statements.complete_challenge(ctx, call.challenge)
    opened_by = call.code if isinstance(call, UseBackupCode) else "app"
    yield from statements.create_session(ctx, Session(call.challenge, opened_by, new_code))
    if call.request is not None:
        reply = Reply(*content(call), call.challenge, new_code, generation)
        yield from statements.store_reply(challenge_scope(call.challenge), call.request, reply)
    return Outcome(OK, new_code, generation or 0, call.challenge)


def verify_authenticator_code(ctx: Context, call: VerifyAuthenticatorCode) -> Steps[Result]:
    """``authenticator-code-verified``: one transaction, because verification is cheap. The code is that of step 1."""
    factor, challenge = yield from statements.lock_factor_and_challenge(ctx, call.challenge)
    stored = yield from replay(call, challenge)
    if stored:
        return stored
    if challenge.void or challenge.expired:
        raise Refused("CHALLENGE_EXPIRED")
    if factor.method != AUTHENTICATOR:
        raise Refused("METHOD_NOT_ACTIVE")
    if challenge.attempts >= statements.MAX_ATTEMPTS:
        raise Refused("CHALLENGE_EXHAUSTED")
    if factor.last_step >= 1:
        return Outcome("CODE_ALREADY_USED")
    yield from statements.accept_step(1)
    return (yield from complete_sign_in(ctx, call))


def challenge_scope(challenge: int) -> str:
    """Where the reply to a sign-in is stored."""
    return f"challenge {challenge}"


def content(call: SecondFactorCall) -> tuple[str, str]:
    """The method, and the field that the reply's fingerprint covers."""
    return type(call).__name__, call.code if isinstance(call, UseBackupCode) else ""
