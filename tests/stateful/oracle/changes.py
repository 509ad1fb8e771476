"""RegenerateBackupCode and RemoveAuthenticator: the proof is charged in one step, the change made in another."""

from tests.stateful.oracle import proofs, replies
from tests.stateful.oracle.answers import Done, Shown
from tests.stateful.oracle.backup_codes import new_code
from tests.stateful.oracle.calls import RegenerateBackupCode, RemoveAuthenticator
from tests.stateful.oracle.challenges import check_method
from tests.stateful.oracle.moments import Moment, Outcomes, live_session
from tests.stateful.oracle.state import Account, Failures, Method

_CONTENT = ("RegenerateBackupCode",)


def regenerate(account: Account, call: RegenerateBackupCode, at: Moment) -> Outcomes:
    """The reply is looked up first, before the state and before the proof."""
    if before := _shown_before(account, call, at):
        yield before
        return
    check_method(account, Method.APP)
    yield proofs.charge(account, call, at, _replace)


def _replace(account: Account, call: RegenerateBackupCode, at: Moment, version: int) -> Outcomes:
    if before := _shown_before(account, call, at):
        yield before
        return
    check_method(account, Method.APP)
    account = new_code(proofs.confirmed(account, call, version), at)
    account = account.audited("regenerate_backup_code").mailed("backup-code-regenerated")
    answer = Shown(at.fresh.code, account.factor.generation)
    yield replies.keep(account, call.session, call.request_id, _CONTENT, answer, call.session, at.now), answer


def _shown_before(account: Account, call: RegenerateBackupCode, at: Moment) -> tuple[Account, Shown] | None:
    live_session(account, call.session, at.now)
    answer = replies.replayed(account, call.session, call.request_id, _CONTENT, at.now)
    return (account.audited("replay"), answer) if isinstance(answer, Shown) else None


def remove(account: Account, call: RemoveAuthenticator, at: Moment) -> Outcomes:
    """On e-mail codes already: nothing is to be done, and no proof looked at."""
    live_session(account, call.session, at.now)
    if account.factor.method is Method.EMAIL:
        yield account, Done()
    else:
        yield proofs.charge(account, call, at, _turn_off)


def _turn_off(account: Account, call: RemoveAuthenticator, at: Moment, version: int) -> Outcomes:
    live_session(account, call.session, at.now)
    if account.factor.method is Method.EMAIL:
        yield account, Done()
        return
    account = proofs.confirmed(account, call, version).with_factor(
        method=Method.EMAIL,
        code="",
        code_created=None,
        saved=None,
        secret="",
        last_step=0,
        enabled=None,
        disabled=False,
        app_failures=Failures(),
    )
    for setup_id in account.setups:
        account = account.with_setup(setup_id, ended=True)
    account = replies.erase_superseded(account)
    yield account.audited("remove_authenticator").mailed("authenticator-off"), Done()
