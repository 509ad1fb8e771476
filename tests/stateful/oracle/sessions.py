"""What a session may see and say without proving anything again."""

from tests.stateful.oracle import replies
from tests.stateful.oracle.answers import Done, Refusal, StatusSeen
from tests.stateful.oracle.calls import ConfirmBackupCodeSaved, GetSession, GetTwoFactor, SignOut
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
