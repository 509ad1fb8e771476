"""Commands of linked identities: what else the account can be signed in to with."""

from twofactor.v1.account_service_pb2 import LinkIdentityResponse, ListIdentitiesResponse
from twofactor.v1.types_pb2 import Identity
from twofactor_try.by_hand.step import Said, Step, said
from twofactor_try.by_hand.words import identity_words
from twofactor_try.failures import CannotStartError


def link(step: Step) -> Said:
    # The proof first: an authorization code is not to grow old while a password is typed.
    session_token, proof = step.session_token, step.proof()
    identity = step.contract.link_identity(session_token, proof, step.signed_in_at(step.options.provider))
    return said(LinkIdentityResponse(identity=identity), "Linked:", *identity_words(identity))


def unlink(step: Step) -> Said:
    identity = _named(step)
    step.contract.unlink_identity(step.session_token, step.proof(), identity.identity_id)
    return said(None, f"Unlinked: the {identity.provider} identity does not open this account any more.")


def identities(step: Step) -> Said:
    found = step.contract.list_identities(step.session_token)
    words = [line for identity in found for line in identity_words(identity)]
    return said(ListIdentitiesResponse(identities=found), *(words or ["No identity is linked."]))


def _named(step: Step) -> Identity:
    """By its id, or by its provider where that is unmistakable."""
    which = step.options.which
    found = [
        one for one in step.contract.list_identities(step.session_token) if which in (one.identity_id, one.provider)
    ]
    if len(found) != 1:
        raise CannotStartError(
            f"{'No' if not found else 'More than one'} linked identity goes by {which}: see `twofactor-try identities`."
        )
    return found[0]
