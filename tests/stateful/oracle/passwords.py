"""SetPassword and ChangePassword."""

from tests.stateful.oracle import proofs, replies
from tests.stateful.oracle.account_calls import ChangePassword, SetPassword
from tests.stateful.oracle.answers import Answer, Done, Refusal
from tests.stateful.oracle.moments import Moment, Outcomes, live_session
from tests.stateful.oracle.shutting_out import everybody_out, with_password
from tests.stateful.oracle.state import Account

_ACTIONS = {SetPassword: "set_password", ChangePassword: "change_password"}

Choosing = SetPassword | ChangePassword


def choose_password(account: Account, call: Choosing, at: Moment) -> Outcomes:
    """SetPassword and ChangePassword: the new one is looked at first of all, then the reply, then the proof."""
    if len(call.new_password) < 8:
        raise Refusal("PASSWORD_REJECTED", field="new_password")
    if before := _made_before(account, call, at):
        yield before
        return
    _check_none(account, call)
    yield proofs.charge(account, call, at, _replace)


def _replace(account: Account, call: Choosing, at: Moment, version: int) -> Outcomes:
    if before := _made_before(account, call, at):
        yield before
        return
    _check_none(account, call)
    account = proofs.confirmed(account, call, version)
    account = everybody_out(with_password(account, call.new_password), at, keep_session=call.session)
    account = replies.keep(account, call.session, call.request_id, _content(call), Done(), call.session, at.now)
    yield account.audited(_ACTIONS[type(call)]), Done()


def _made_before(account: Account, call: Choosing, at: Moment) -> tuple[Account, Answer] | None:
    live_session(account, call.session, at.now)
    answer = replies.replayed(account, call.session, call.request_id, _content(call), at.now)
    return (account.audited("replay"), answer) if answer else None


def _check_none(account: Account, call: Choosing) -> None:
    if isinstance(call, SetPassword) and account.password:
        raise Refusal("CONFLICT")


def _content(call: Choosing) -> tuple[str, ...]:
    return type(call).__name__, call.new_password
