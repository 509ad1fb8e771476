"""Signing out, revoking, and what every call from a signed-in session shares.

Re-authentication is left out, because the proof is correct; that the server reads again under the lock what it verified
without one is not.
"""

from model import statements
from model.calls import (
    OK,
    ChangePassword,
    ConfirmAuthenticatorSetup,
    Outcome,
    RegenerateBackupCode,
    Result,
    RevokeSession,
    SetPassword,
    SignOut,
)
from model.database import Refused, Steps
from model.mechanisms import Context
from model.rows import Code, Factor, Reply
from model.sign_in import find_answer

Replayable = RegenerateBackupCode | ConfirmAuthenticatorSetup | ChangePassword | SetPassword
"""The calls whose reply is stored under their session."""


def lock_live_session(ctx: Context, session: int) -> Steps[Factor]:
    """Lock the account's second factor, then the session; refuse with SESSION_ENDED if it is not live."""
    factor, locked = yield from statements.lock_factor_and_session(ctx, session)
    if locked is None or locked.ended:
        raise Refused("SESSION_ENDED")
    return factor


def check_password_version(version: int) -> Steps[None]:
    """The password is still the one that was verified."""
    if (yield from statements.read_password_version()) != version:
        raise Refused("REAUTHENTICATION_FAILED")


def session_scope(session: int) -> str:
    """Where the replies of a session's calls are stored."""
    return f"session {session}"


def _content(call: Replayable) -> tuple[str, str]:
    """The method, and the field that the reply's fingerprint covers."""
    return type(call).__name__, str(call.setup) if isinstance(call, ConfirmAuthenticatorSetup) else ""


def find_stored(call: Replayable) -> Steps[Outcome | None]:
    """The stored answer to this logical call, or None."""
    return (yield from find_answer(session_scope(call.session), call.request, *_content(call)))


def store_and_answer(call: Replayable, code: Code | None = None, generation: int | None = None) -> Steps[Outcome]:
    """Store the answer under the call's request_id, if it has one, and return it."""
    if call.request is not None:
        reply = Reply(*_content(call), call.session, code, generation)
        yield from statements.store_reply(session_scope(call.session), call.request, reply)
    return Outcome(OK, code, generation or 0)


def sign_out(ctx: Context, call: SignOut) -> Steps[Result]:
    """``signed-out``."""
    yield from statements.lock_factor_and_session(ctx, call.session)
    yield from statements.end_sessions(call.session)
    return Outcome(OK)


def revoke(ctx: Context, call: RevokeSession) -> Steps[Result]:
    """``session-revoked``."""
    yield from lock_live_session(ctx, call.session)
    yield from statements.end_sessions(call.other)
    return Outcome(OK)
