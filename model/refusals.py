"""When a refusal is accurate: each has one documented reason, which must hold of the committed rows."""

from collections.abc import Callable
from typing import Any

from model.calls import (
    OK,
    Action,
    ConfirmAuthenticatorSetup,
    ConfirmBackupCodeSaved,
    Outcome,
    RegenerateBackupCode,
    RemoveAuthenticator,
    SetPassword,
    StartSignInByIdentity,
    UnlinkIdentity,
    UseBackupCode,
    VerifyAuthenticatorCode,
)
from model.rows import ACCOUNT, EMAIL, FACTOR, Account, Challenge, Factor, Reply, Rows
from model.sessions import session_scope
from model.sign_in import challenge_scope, content
from model.statements import MAX_ATTEMPTS


def stored_reply(rows: Rows, action: Action) -> Reply | None:
    """The reply, erased or not, to an earlier success of this logical call."""
    if not isinstance(action, UseBackupCode | VerifyAuthenticatorCode) or action.request is None:
        return None
    reply: Reply | None = rows.get(("replies", challenge_scope(action.challenge), action.request))
    return reply if reply is not None and (reply.method, reply.content) == content(action) else None


def inaccuracy(rows: Rows, action: Action, outcome: Outcome) -> str | None:
    """What is wrong with the answer, given what is committed at that moment; None if it is accurate."""
    if outcome.alarm:
        return "the unique key of spent generations stopped what the row lock should have stopped"
    if outcome.reason == OK:
        return None
    holds = _REASONS.get(outcome.reason)
    if holds is None:
        return f"{outcome.reason} is not a documented answer"
    return None if holds(rows, action) else f"the reason {outcome.reason} does not hold"


def _challenge(rows: Rows, action: Any) -> Challenge:
    challenge: Challenge = rows.get(("challenges", action.challenge))
    return challenge


def _factor(rows: Rows) -> Factor:
    factor: Factor = rows.get(FACTOR)
    return factor


def _has_opened_session(rows: Rows, code: str) -> bool:
    return any(session.opened_by == code for _, session in rows.table("sessions"))


def _already_used(rows: Rows, action: Action) -> bool:
    if isinstance(action, UseBackupCode):
        return _has_opened_session(rows, action.code)
    return _factor(rows).last_step >= 1


def _mismatch(rows: Rows, action: Action) -> bool:
    if isinstance(action, ConfirmAuthenticatorSetup):
        return bool(rows.get(("authenticator_setups", action.setup)).stale)
    if not isinstance(action, UseBackupCode):
        return False
    return action.code != _factor(rows).code and not _has_opened_session(rows, action.code)


def _exhausted(rows: Rows, action: Any) -> bool:
    charged = isinstance(action, UseBackupCode) and rows.get(("backup_code_attempts", action.challenge, action.code))
    return _challenge(rows, action).attempts >= MAX_ATTEMPTS and not charged


def _expired(rows: Rows, action: Any) -> bool:
    challenge = _challenge(rows, action)
    return challenge.void or challenge.expired


def _reply_erased(rows: Rows, action: Any) -> bool:
    signs_in = isinstance(action, UseBackupCode | VerifyAuthenticatorCode)
    scope = challenge_scope(action.challenge) if signs_in else session_scope(action.session)
    reply: Reply | None = rows.get(("replies", scope, action.request))
    return reply is not None and reply.erased in ("superseded", "saved", "session ended")


def _reused(rows: Rows, action: Any) -> bool:
    return isinstance(action, UseBackupCode | VerifyAuthenticatorCode) and stored_reply(rows, action) is None


def _session_ended(rows: Rows, action: Any) -> bool:
    session = rows.get(("sessions", action.session))
    return session is None or session.ended


def _setup_ended(rows: Rows, action: Any) -> bool:
    setup = rows.get(("authenticator_setups", action.setup))
    return isinstance(action, ConfirmAuthenticatorSetup) and (setup is None or setup.ended)


def _superseded(rows: Rows, action: Any) -> bool:
    return isinstance(action, ConfirmBackupCodeSaved) and action.generation != _factor(rows).generation


def _password_changed(rows: Rows, _: Action) -> bool:
    account: Account = rows.get(ACCOUNT)
    return account.password_version > 1 or account.closed


def _proof_outdated(rows: Rows, action: Action) -> bool:
    unlinked = isinstance(action, SetPassword) and not rows.get(("identities", action.identity)).linked
    return unlinked or _password_changed(rows, action)


def _not_linked(rows: Rows, action: Action) -> bool:
    return isinstance(action, StartSignInByIdentity) and not rows.get(("identities", action.identity)).linked


def _last_first_factor(rows: Rows, action: Action) -> bool:
    linked = {key[1] for key, identity in rows.table("identities") if identity.linked}
    return isinstance(action, UnlinkIdentity) and linked == {action.identity} and not rows.get(ACCOUNT).has_password


def _conflict(rows: Rows, action: Action) -> bool:
    if isinstance(action, SetPassword):
        return bool(rows.get(ACCOUNT).has_password)
    return isinstance(action, RegenerateBackupCode | RemoveAuthenticator) and _factor(rows).enrolment > 1


_REASONS: dict[str, Callable[[Rows, Any], bool]] = {
    "CODE_ALREADY_USED": _already_used,
    "CODE_MISMATCH": _mismatch,
    "METHOD_NOT_ACTIVE": lambda rows, _: _factor(rows).method == EMAIL,
    "CHALLENGE_CONSUMED": lambda rows, action: _challenge(rows, action).completed,
    "CHALLENGE_EXPIRED": _expired,
    "CHALLENGE_EXHAUSTED": _exhausted,
    "REQUEST_ID_EXPIRED": _reply_erased,
    "REQUEST_ID_REUSED": _reused,
    "SESSION_ENDED": _session_ended,
    "SETUP_EXPIRED": _setup_ended,
    "GENERATION_SUPERSEDED": _superseded,
    "CREDENTIALS_MISMATCH": _password_changed,
    "REAUTHENTICATION_FAILED": _proof_outdated,
    "IDENTITY_NOT_LINKED": _not_linked,
    "LAST_WAY_IN": _last_first_factor,
    "CONFLICT": _conflict,
}
