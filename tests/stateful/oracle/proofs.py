"""Re-authentication: charged before it is judged, on counters of the session's own."""

from tests.stateful.oracle import replies
from tests.stateful.oracle.answers import Answer, Refusal, Refused
from tests.stateful.oracle.calls import Changing, Proof
from tests.stateful.oracle.challenges import TOLERANCE
from tests.stateful.oracle.codes import judge_app_code
from tests.stateful.oracle.forms import digits
from tests.stateful.oracle.moments import Moment, Next, Outcomes, Step, live_session
from tests.stateful.oracle.state import MINUTE, Account, Method, ProvenBy, Session

WRONG_ONES = 5


def charge(account: Account, call: Changing, at: Moment, change: Step) -> tuple[Account, Answer | Next]:
    """Check and charge the proof; what follows is ``change``, or ``refuse`` if the password is wrong."""
    proof = call.proof
    _check_word(account, proof, at)
    session = account.sessions[call.session]
    if proof.password is not None:
        if session.proofs.get(proof.password):
            return account, Refused("REAUTHENTICATION_FAILED")
        if proof.password not in session.proofs:
            if len(session.proofs) >= WRONG_ONES:
                return _ended(account, call.session), Refused("SESSION_ENDED")
            account = account.with_session(call.session, proofs={**session.proofs, proof.password: False})
    account, reason = _step_up(account, call.session, proof, at)
    if reason:
        return account, Refused(reason)
    wrong = proof.password is not None and not (account.password and proof.password == account.password)
    return account, Next(refuse if wrong else change)


def refuse(account: Account, call: Changing, at: Moment) -> Outcomes:
    """The password was wrong; the fifth wrong one ends the session."""
    session = live_session(account, call.session, at.now)
    password = call.proof.password
    account = account.audited("reauthenticate", "REAUTHENTICATION_FAILED")
    if password in session.proofs:
        account = account.with_session(call.session, proofs={**session.proofs, password: True})
    if sum(account.sessions[call.session].proofs.values()) >= WRONG_ONES:
        account = _ended(account, call.session)
    yield account, Refused("REAUTHENTICATION_FAILED")


def confirmed(account: Account, session: str) -> Account:
    """In the step of the change: what was proven must still be enough. A right proof forgives the wrong ones before."""
    if not _passed(account.sessions[session], account.factor.method):
        raise Refusal("REAUTHENTICATION_REQUIRED")
    return account.with_session(session, proofs={})


def _check_word(account: Account, proof: Proof, at: Moment) -> None:
    """A trusted caller's word is for this account, and of the last ten minutes. Neither it nor a password: missing."""
    word = proof.asserted
    if word is not None:
        if word.account_id != account.account_id:
            raise Refusal("REAUTHENTICATION_FAILED")
        if not at.now - 10 * MINUTE <= word.time <= at.now + TOLERANCE:
            raise Refusal("REAUTHENTICATION_REQUIRED")
    elif proof.password is None:
        raise Refusal("REAUTHENTICATION_REQUIRED")


def _step_up(account: Account, token: str, proof: Proof, at: Moment) -> tuple[Account, str]:
    """The app's code is wanted where the session did not pass the second factor that is active now, and, without a
    password, where it passed it more than ten minutes ago."""
    session, active = account.sessions[token], account.factor.method
    if _passed(session, active) and (proof.password is not None or at.now - session.proven <= 10 * MINUTE):
        return account, ""
    if not proof.app_code or active is not Method.APP:
        return account, "REAUTHENTICATION_REQUIRED"
    account, reason = judge_app_code(account, digits(proof.app_code), at)
    if reason:
        return account.audited("reauthenticate", reason), "REAUTHENTICATION_FAILED"
    return account.with_session(token, proven_by=ProvenBy.APP, proven=at.now), ""


def _passed(session: Session, active: Method) -> bool:
    return active is Method.EMAIL or session.proven_by is not ProvenBy.EMAIL_CODE


def _ended(account: Account, session: str) -> Account:
    return replies.erase_of_session(account.with_session(session, ended=True), session)
