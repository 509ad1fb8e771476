"""When an answer is true. Each refusal has its one documented reason, and it must hold of what is committed."""

from collections.abc import Callable
from typing import Any

from model.calls import (
    OK,
    ConfirmSetup,
    Intent,
    Outcome,
    Regenerate,
    Remove,
    Saved,
    SetPassword,
    StartByIdentity,
    Unlink,
    Use,
    VerifyApp,
)
from model.completion import content, scope_of
from model.rows import ACCOUNT, EMAIL, FACTOR, Account, Challenge, Factor, Reply, Rows
from model.statements import ATTEMPTS


def same_call_answered(rows: Rows, intent: Intent) -> Reply | None:
    """The reply kept for this very logical call, erased or not, if it was answered with success before."""
    if not isinstance(intent, Use | VerifyApp) or intent.request is None:
        return None
    reply: Reply | None = rows.get(("replies", scope_of(intent.challenge), intent.request))
    return reply if reply is not None and (reply.method, reply.content) == content(intent) else None


def untrue(rows: Rows, intent: Intent, outcome: Outcome) -> str | None:
    """What is wrong with the answer, given what is committed at that moment; None if it is true."""
    if outcome.alarm:
        return "the spent key had to stop what the row lock should have stopped"
    if outcome.reason == OK:
        return None
    holds = _REASONS.get(outcome.reason)
    if holds is None:
        return f"{outcome.reason} is no answer that anybody was promised"
    return None if holds(rows, intent) else f"{outcome.reason} is not so"


def _challenge(rows: Rows, intent: Any) -> Challenge:
    challenge: Challenge = rows.get(("challenges", intent.challenge))
    return challenge


def _factor(rows: Rows) -> Factor:
    factor: Factor = rows.get(FACTOR)
    return factor


def used(rows: Rows, code: str) -> bool:
    """Whether the code has opened a session."""
    return any(session.opened_by == code for _, session in rows.table("sessions"))


def _already_used(rows: Rows, intent: Intent) -> bool:
    if isinstance(intent, Use):
        return used(rows, intent.code)
    return _factor(rows).last_step >= 1


def _mismatch(rows: Rows, intent: Intent) -> bool:
    if isinstance(intent, ConfirmSetup):
        setup = rows.get(("authenticator_setups", intent.setup))
        return bool(setup.stale)
    return isinstance(intent, Use) and intent.code != _factor(rows).code and not used(rows, intent.code)


def _exhausted(rows: Rows, intent: Any) -> bool:
    charged = isinstance(intent, Use) and rows.get(("backup_code_attempts", intent.challenge, intent.code))
    return _challenge(rows, intent).attempts >= ATTEMPTS and not charged


def _expired(rows: Rows, intent: Any) -> bool:
    challenge = _challenge(rows, intent)
    return challenge.void or challenge.over


def _reply_gone(rows: Rows, intent: Any) -> bool:
    scope = scope_of(intent.challenge) if isinstance(intent, Use | VerifyApp) else f"session {intent.session}"
    reply: Reply | None = rows.get(("replies", scope, intent.request))
    return reply is not None and reply.erased in ("superseded", "saved", "session ended")


def _reused(rows: Rows, intent: Any) -> bool:
    return isinstance(intent, Use | VerifyApp) and same_call_answered(rows, intent) is None


def _session_ended(rows: Rows, intent: Any) -> bool:
    session = rows.get(("sessions", intent.session))
    return session is None or session.ended


def _setup_over(rows: Rows, intent: Any) -> bool:
    setup = rows.get(("authenticator_setups", intent.setup))
    return isinstance(intent, ConfirmSetup) and (setup is None or setup.ended)


def _superseded(rows: Rows, intent: Any) -> bool:
    return isinstance(intent, Saved) and intent.generation != _factor(rows).generation


def _password_changed(rows: Rows, _: Intent) -> bool:
    account: Account = rows.get(ACCOUNT)
    return account.password_version > 1 or account.closed


def _proof_gone(rows: Rows, intent: Intent) -> bool:
    unlinked = isinstance(intent, SetPassword) and not rows.get(("identities", intent.by)).linked
    return unlinked or _password_changed(rows, intent)


def _not_linked(rows: Rows, intent: Intent) -> bool:
    return isinstance(intent, StartByIdentity) and not rows.get(("identities", intent.identity)).linked


def _last_way_in(rows: Rows, intent: Intent) -> bool:
    linked = {key[1] for key, identity in rows.table("identities") if identity.linked}
    return isinstance(intent, Unlink) and linked == {intent.identity} and not rows.get(ACCOUNT).has_password


def _conflict(rows: Rows, intent: Intent) -> bool:
    if isinstance(intent, SetPassword):
        return bool(rows.get(ACCOUNT).has_password)
    return isinstance(intent, Regenerate | Remove) and _factor(rows).bound > 1


_REASONS: dict[str, Callable[[Rows, Any], bool]] = {
    "CODE_ALREADY_USED": _already_used,
    "CODE_MISMATCH": _mismatch,
    "METHOD_NOT_ACTIVE": lambda rows, _: _factor(rows).method == EMAIL,
    "CHALLENGE_CONSUMED": lambda rows, intent: _challenge(rows, intent).completed,
    "CHALLENGE_EXPIRED": _expired,
    "CHALLENGE_EXHAUSTED": _exhausted,
    "REQUEST_ID_EXPIRED": _reply_gone,
    "REQUEST_ID_REUSED": _reused,
    "SESSION_ENDED": _session_ended,
    "SETUP_EXPIRED": _setup_over,
    "GENERATION_SUPERSEDED": _superseded,
    "CREDENTIALS_MISMATCH": _password_changed,
    "REAUTHENTICATION_FAILED": _proof_gone,
    "IDENTITY_NOT_LINKED": _not_linked,
    "LAST_WAY_IN": _last_way_in,
    "CONFLICT": _conflict,
}
