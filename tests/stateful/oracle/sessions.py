"""What a session may see and say without proving anything again."""

from collections.abc import Iterable

from tests.stateful.oracle import replies
from tests.stateful.oracle.answers import Done, Refusal, SessionsSeen, StatusSeen
from tests.stateful.oracle.calls import (
    ConfirmBackupCodeSaved,
    GetSession,
    GetTwoFactor,
    ListSessions,
    RevokeOtherSessions,
    RevokeSession,
    SignOut,
)
from tests.stateful.oracle.challenges import check_method, waits
from tests.stateful.oracle.moments import Moment, Outcomes, live_session
from tests.stateful.oracle.state import Account, Method


def get_session(account: Account, call: GetSession, at: Moment) -> Outcomes:
    """The session, this use of it included."""
    live_session(account, call.session, at.now)
    account = account.with_session(call.session, last_active=at.now)
    yield account, account.sessions[call.session].seen(account)


def sign_out(account: Account, call: SignOut, at: Moment) -> Outcomes:
    """The session ends, and what was kept for it is erased. One that is over or unknown is signed out of already."""
    session = account.sessions.get(call.session)
    if session is not None:
        if not session.ended:
            account = account.with_session(call.session, ended=True).audited("sign_out")
        account = replies.erase_of_session(account, call.session)
    yield account, Done()


def list_sessions(account: Account, call: ListSessions, at: Moment) -> Outcomes:
    """The live ones, the newest first. Looking is no use of any."""
    live_session(account, call.session, at.now)
    live = [one.seen(account) for one in account.sessions.values() if one.live(at.now)]
    # Of several that were opened at one moment any may come first.
    live.sort(key=lambda one: one.session_id)
    live.sort(key=lambda one: one.created, reverse=True)
    yield account, SessionsSeen(tuple(live), account.sessions[call.session].session_id)


def revoke_session(account: Account, call: RevokeSession, at: Moment) -> Outcomes:
    """One ends, this one or another; one that is unknown or over already is none of its business."""
    live_session(account, call.session, at.now)
    for token in [token for token, one in account.sessions.items() if one.session_id == call.session_id]:
        if not account.sessions[token].ended:
            account = account.audited("revoke_session")
        account = _ended(account, [token])
    yield account, Done()


def revoke_other_sessions(account: Account, call: RevokeOtherSessions, at: Moment) -> Outcomes:
    """All of them end, or all but this one; the audit trail is told once."""
    live_session(account, call.session, at.now)
    others = [
        token
        for token, one in account.sessions.items()
        if not one.ended and (call.including_this or token != call.session)
    ]
    yield _ended(account.audited("revoke_other_sessions") if others else account, others), Done()


def _ended(account: Account, tokens: Iterable[str]) -> Account:
    for token in tokens:
        account = replies.erase_of_session(account.with_session(token, ended=True), token)
    return account


def confirm_saved(account: Account, call: ConfirmBackupCodeSaved, at: Moment) -> Outcomes:
    """The current code is saved. Only what is kept for the session that says so is erased."""
    live_session(account, call.session, at.now)
    check_method(account, Method.APP)
    if call.generation != account.factor.generation:
        raise Refusal("GENERATION_SUPERSEDED")
    if account.factor.saved is None:
        account = account.with_factor(saved=at.now).audited("confirm_backup_code_saved")
    yield replies.erase_saved(account, call.session), Done()


def get_two_factor(account: Account, call: GetTwoFactor, at: Moment) -> Outcomes:
    """The second factor. Looking is no use of the session."""
    live_session(account, call.session, at.now)
    factor = account.factor
    if factor.method is Method.EMAIL:
        yield account, StatusSeen(factor.method, waits(account, at.now))
        return
    lost = factor.saved is None and replies.shown_by_none(account, at.now)
    yield (
        account,
        StatusSeen(
            factor.method,
            waits(account, at.now),
            factor.enabled,
            factor.disabled,
            factor.generation,
            factor.code_created,
            factor.saved,
            must_regenerate=lost,
        ),
    )
