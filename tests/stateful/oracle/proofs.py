"""Re-authentication: charged before it is judged, on counters of the session's own."""

from tests.stateful.oracle import replies
from tests.stateful.oracle.answers import Answer, Refusal, Refused
from tests.stateful.oracle.calls import Changing
from tests.stateful.oracle.challenges import TOLERANCE
from tests.stateful.oracle.codes import judge_app_code
from tests.stateful.oracle.forms import digits
from tests.stateful.oracle.given import Proof
from tests.stateful.oracle.linking import linked_as
from tests.stateful.oracle.moments import Moment, Next, Outcomes, Step, live_session
from tests.stateful.oracle.state import MINUTE, Account, Method, ProvenBy, Session

WRONG_ONES = 5


def charge(account: Account, call: Changing, at: Moment, change: Step) -> tuple[Account, Answer | Next]:
    """Check and charge the proof. What follows is ``change``, which is given the password's version of now; ``refuse``
    if the password is wrong; or the provider's answer."""
    proof = call.proof
    _check_given(account, proof, at)
    account, refused = _step_up(account, call.session, proof, at)
    if refused is None and proof.asserted is None:
        account, refused = _charge_guess(account, call.session, proof)
    if refused:
        return account, refused
    version = account.password_version
    if proof.credential is not None:
        return account, Next(_judge_identity, (change, version))
    wrong = proof.password is not None and not (account.password and proof.password == account.password)
    return account, Next(refuse) if wrong else Next(change, (version,))


def _judge_identity(account: Account, call: Changing, at: Moment, change: Step, version: int) -> Outcomes:
    """What the provider says, outside any lock: somebody who is linked, somebody else, or that the code is none."""
    credential = call.proof.credential
    assert credential is not None
    right = credential.given and linked_as(account.identities, credential.identity) is not None
    yield account, Next(change, (version,)) if right else Next(refuse)


def refuse(account: Account, call: Changing, at: Moment) -> Outcomes:
    """The password or the identity was wrong; the fifth wrong one ends the session."""
    session, guess = live_session(account, call.session, at.now), call.proof.guess
    account = account.audited("reauthenticate", "REAUTHENTICATION_FAILED")
    if guess in session.proofs:
        account = account.with_session(call.session, proofs={**session.proofs, guess: True})
    yield _ended_by_wrong_ones(account, call.session), Refused("REAUTHENTICATION_FAILED")


def withdrawn(account: Account, call: Changing) -> Account:
    """Without the charge that is not judged yet, where something else than the proof was wrong."""
    charged, guess = account.sessions[call.session].proofs, call.proof.guess
    return account.with_session(call.session, proofs={one: w for one, w in charged.items() if one != guess or w})


def confirmed(account: Account, call: Changing, version: int) -> Account:
    """In the step of the change: what was proven must still be so, and enough. A right proof forgives the wrong ones
    before."""
    credential = call.proof.credential
    unlinked = credential is not None and linked_as(account.identities, credential.identity) is None
    if account.password_version != version or unlinked:
        raise Refusal("REAUTHENTICATION_FAILED")
    if not _passed(account.sessions[call.session], account.factor.method):
        raise Refusal("REAUTHENTICATION_REQUIRED")
    return account.with_session(call.session, proofs={})


def _check_given(account: Account, proof: Proof, at: Moment) -> None:
    """A trusted caller's word is for this account, and of the last ten minutes. Nothing at all: missing."""
    word = proof.asserted
    if word is not None:
        if word.account_id != account.account_id:
            raise Refusal("REAUTHENTICATION_FAILED")
        if not at.now - 10 * MINUTE <= word.time <= at.now + TOLERANCE:
            raise Refusal("REAUTHENTICATION_REQUIRED")
    elif proof.password is None and proof.credential is None:
        raise Refusal("REAUTHENTICATION_REQUIRED")


def _step_up(account: Account, token: str, proof: Proof, at: Moment) -> tuple[Account, Refused | None]:
    """The app's code is wanted where the session did not pass the second factor that is active now, and, without a
    password, where it passed it more than ten minutes ago. A wrong one counts as a wrong password does."""
    session, active = account.sessions[token], account.factor.method
    if _passed(session, active) and (proof.password is not None or at.now - session.proven <= 10 * MINUTE):
        return account, None
    if not proof.app_code or active is not Method.APP:
        return account, Refused("REAUTHENTICATION_REQUIRED")
    account, reason = judge_app_code(account, digits(proof.app_code), at)
    if reason:
        charged = {**session.proofs, f"code {digits(proof.app_code)}": True}
        account = account.audited("reauthenticate", reason).with_session(token, proofs=charged)
        return _ended_by_wrong_ones(account, token), Refused("REAUTHENTICATION_FAILED")
    return account.with_session(token, proven_by=ProvenBy.APP, proven=at.now), None


def _charge_guess(account: Account, token: str, proof: Proof) -> tuple[Account, Refused | None]:
    """One guess tried again is charged once, and known to be wrong once it was judged."""
    charged = account.sessions[token].proofs
    if charged.get(proof.guess):
        return account, Refused("REAUTHENTICATION_FAILED")
    if proof.guess not in charged:
        if len(charged) >= WRONG_ONES:
            return _ended(account, token), Refused("SESSION_ENDED")
        account = account.with_session(token, proofs={**charged, proof.guess: False})
    return account, None


def _passed(session: Session, active: Method) -> bool:
    return active is Method.EMAIL or session.proven_by is not ProvenBy.EMAIL_CODE


def _ended_by_wrong_ones(account: Account, token: str) -> Account:
    wrong = sum(account.sessions[token].proofs.values())
    return _ended(account, token) if wrong >= WRONG_ONES else account


def _ended(account: Account, session: str) -> Account:
    return replies.erase_of_session(account.with_session(session, ended=True), session)
