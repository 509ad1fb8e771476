"""Setting an authenticator up: started, confirmed by its first code, or cancelled."""

from dataclasses import replace

from tests.stateful.oracle import proofs, replies
from tests.stateful.oracle.answers import Done, Refusal, Refused, SetupStarted, Shown
from tests.stateful.oracle.backup_codes import new_code
from tests.stateful.oracle.calls import CancelAuthenticatorSetup, ConfirmAuthenticatorSetup, StartAuthenticatorSetup
from tests.stateful.oracle.forms import digits
from tests.stateful.oracle.moments import Moment, Next, Outcomes, accepted_step, live_session
from tests.stateful.oracle.state import MINUTE, Account, Failures, Method, ProvenBy, Setup


def start_setup(account: Account, call: StartAuthenticatorSetup, at: Moment) -> Outcomes:
    """Charge the proof."""
    live_session(account, call.session, at.now)
    yield proofs.charge(account, call, at, _start)


def _start(account: Account, call: StartAuthenticatorSetup, at: Moment, version: int) -> Outcomes:
    live_session(account, call.session, at.now)
    account = proofs.confirmed(account, call, version).audited("start_authenticator_setup")
    for setup_id in account.setups:
        account = account.with_setup(setup_id, ended=True)
    setup = Setup(call.session, at.fresh.secret, at.now)
    account = replace(account, setups={**account.setups, at.fresh.setup_id: setup})
    yield account, SetupStarted(at.fresh.setup_id, at.fresh.secret, at.now + 10 * MINUTE)


def confirm_setup(account: Account, call: ConfirmAuthenticatorSetup, at: Moment) -> Outcomes:
    """Judge the app's first code; the fifth wrong one voids the setup."""
    if before := _shown_before(account, call, at):
        yield before
        return
    setup = _open_setup(account, call, at)
    step = accepted_step(setup.secret, digits(call.code), at.now)
    if step is not None:
        yield account, Next(_turn_on, (step,))
        return
    account = account.with_setup(call.setup_id, attempts=setup.attempts + 1)
    account = account.audited("confirm_authenticator_setup", "CODE_MISMATCH")
    yield account, Refused("CODE_MISMATCH", attempts_left=4 - setup.attempts)


def _turn_on(account: Account, call: ConfirmAuthenticatorSetup, at: Moment, step: int) -> Outcomes:
    if before := _shown_before(account, call, at):
        yield before
        return
    setup = _open_setup(account, call, at)
    account = new_code(
        account.with_setup(call.setup_id, ended=True),
        at,
        method=Method.APP,
        secret=setup.secret,
        last_step=step,
        enabled=at.now,
        disabled=False,
        app_failures=Failures(),
    )
    account = account.with_session(call.session, proven_by=ProvenBy.APP, proven=at.now)
    account = replace(account, secrets=(*account.secrets, setup.secret))
    account = account.audited("confirm_authenticator_setup").mailed("authenticator-on")
    answer = Shown(at.fresh.code, account.factor.generation)
    yield replies.keep(account, call.session, call.request_id, _content(call), answer, call.session, at.now), answer


def cancel_setup(account: Account, call: CancelAuthenticatorSetup, at: Moment) -> Outcomes:
    """The setup is void; one that is unknown or over is void already. Whether the end of one that only ran out of time
    is still told to the audit trail depends on whether somebody has tidied up: both may be."""
    live_session(account, call.session, at.now)
    setup = account.setups.get(call.setup_id)
    if setup is None or setup.ended:
        yield account, Done()
        return
    ended = account.with_setup(call.setup_id, ended=True)
    yield ended.audited("cancel_authenticator_setup"), Done()
    if at.now >= setup.created + 10 * MINUTE:
        yield ended, Done()


def _shown_before(account: Account, call: ConfirmAuthenticatorSetup, at: Moment) -> tuple[Account, Shown] | None:
    live_session(account, call.session, at.now)
    answer = replies.replayed(account, call.session, call.request_id, _content(call), at.now)
    return (account.audited("replay"), answer) if isinstance(answer, Shown) else None


def _open_setup(account: Account, call: ConfirmAuthenticatorSetup, at: Moment) -> Setup:
    """The setup, if it is open and this very session began it."""
    setup = account.setups.get(call.setup_id)
    if setup is None or setup.over(at.now) or setup.session != call.session:
        raise Refusal("SETUP_EXPIRED")
    return setup


def _content(call: ConfirmAuthenticatorSetup) -> tuple[str, ...]:
    return ("ConfirmAuthenticatorSetup", call.setup_id, digits(call.code))
