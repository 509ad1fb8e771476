"""Linked identities: LinkIdentity, UnlinkIdentity, ListIdentities."""

from dataclasses import replace

from tests.stateful.oracle import proofs, replies
from tests.stateful.oracle.account_calls import LinkIdentity, ListIdentities, UnlinkIdentity
from tests.stateful.oracle.answers import Answer, Done, IdentitiesSeen, IdentitySeen, Refused
from tests.stateful.oracle.linking import Identity, linked_as
from tests.stateful.oracle.moments import Moment, Next, Outcomes, live_session
from tests.stateful.oracle.state import Account


def link_identity(account: Account, call: LinkIdentity, at: Moment) -> Outcomes:
    """The reply first, then the proof; then the provider is asked whose sign-in it was."""
    if before := _shown_before(account, call, at):
        yield before
        return
    yield proofs.charge(account, call, at, _exchange)


def _exchange(account: Account, call: LinkIdentity, at: Moment, version: int) -> Outcomes:
    """A provider takes each code once, and none that it did not give."""
    credential = call.credential
    if not credential.given or credential.code in account.exchanged:
        yield account, Next(_withdraw)
        return
    yield replace(account, exchanged=account.exchanged | {credential.code}), Next(_link, (version,))


def _withdraw(account: Account, call: LinkIdentity, at: Moment) -> Outcomes:
    """The owner's own proof was right, and is not charged; another call with this request_id may have been quicker."""
    if before := _shown_before(account, call, at):
        yield before
        return
    yield proofs.withdrawn(account, call), Refused("CREDENTIALS_MISMATCH")


def _link(account: Account, call: LinkIdentity, at: Moment, version: int) -> Outcomes:
    """An identity opens one account. Linked to this one already, it is shown as it is."""
    if before := _shown_before(account, call, at):
        yield before
        return
    account = proofs.confirmed(account, call, version)
    identity = call.credential.identity
    known = linked_as(account.identities, identity)
    if known is not None:
        yield _kept(account, call, at, _seen(known, account.identities[known]))
        return
    if identity in at.elsewhere or identity in at.perhaps_elsewhere:
        yield account, Refused("IDENTITY_TAKEN")
    if identity not in at.elsewhere:
        new = Identity(identity, call.credential.email, at.now)
        account = replace(account, identities={**account.identities, at.fresh.identity_id: new})
        account = account.audited("link_identity").mailed("identity-linked")
        yield _kept(account, call, at, _seen(at.fresh.identity_id, new))


def unlink_identity(account: Account, call: UnlinkIdentity, at: Moment) -> Outcomes:
    """One that is unknown is unlinked already, and no proof is looked at."""
    live_session(account, call.session, at.now)
    if call.identity_id not in account.identities:
        yield account, Done()
    else:
        yield proofs.charge(account, call, at, _unlink)


def _unlink(account: Account, call: UnlinkIdentity, at: Moment, version: int) -> Outcomes:
    """Never the last way in. What this kind of first factor began is void."""
    live_session(account, call.session, at.now)
    gone = account.identities.get(call.identity_id)
    if gone is None:
        yield account, Done()
        return
    account = proofs.confirmed(account, call, version)
    left = {identity_id: one for identity_id, one in account.identities.items() if one is not gone}
    if not left and not account.password:
        yield account, Refused("LAST_WAY_IN")
        return
    account = replace(account, identities=left)
    for token, challenge in account.challenges.items():
        if challenge.begun_by == gone.known_as.first_factor and not challenge.completed:
            account = account.with_challenge(token, voided=True)
    yield account.audited("unlink_identity").mailed("identity-unlinked"), Done()


def list_identities(account: Account, call: ListIdentities, at: Moment) -> Outcomes:
    """All of them, the oldest first. Looking is no use of the session."""
    live_session(account, call.session, at.now)
    seen = [_seen(identity_id, one) for identity_id, one in account.identities.items()]
    seen.sort(key=lambda one: (one.linked, one.identity_id))
    yield account, IdentitiesSeen(tuple(seen))


def _kept(account: Account, call: LinkIdentity, at: Moment, answer: IdentitySeen) -> tuple[Account, Answer]:
    content = _content(call)
    return replies.keep(account, call.session, call.request_id, content, answer, call.session, at.now), answer


def _shown_before(account: Account, call: LinkIdentity, at: Moment) -> tuple[Account, Answer] | None:
    live_session(account, call.session, at.now)
    answer = replies.replayed(account, call.session, call.request_id, _content(call), at.now)
    return (account.audited("replay"), answer) if answer else None


def _content(call: LinkIdentity) -> tuple[str, ...]:
    return "LinkIdentity", call.credential.identity.provider, call.credential.code


def _seen(identity_id: str, one: Identity) -> IdentitySeen:
    return IdentitySeen(identity_id, one.known_as.provider, one.email, one.linked)
