"""Whose account a provider's sign-in opens."""

from functools import partial

from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.identities import ProvenIdentity, ProviderCredential
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.steps import Step
from twofactor_server.storage import identities
from twofactor_server.storage.audit import NOBODY
from twofactor_server.storage.database import Transaction


async def identified(deps: Dependencies, call: Call, given: ProviderCredential) -> tuple[Account, ProvenIdentity]:
    """Exchange the code, outside any transaction, and find the account that the identity is linked to.

    An address plays no part, however verified: whoever registers somebody else's address beforehand, here or there,
    gains nothing by it.
    """
    deps.providers.check(given)
    try:
        identity = await deps.providers.exchange(given, call.deadline)
        find = partial(identities.owner, issuer=identity.issuer, subject=identity.subject)
        account = await deps.database.read(find)
        if account is None:
            raise Refusal(Reason.IDENTITY_NOT_LINKED)
    except Refusal as refusal:
        if refusal.reason is not Reason.DEPENDENCY_UNAVAILABLE:
            refuse = partial(_record_refusal, deps=deps, call=call, given=given, reason=refusal.reason)
            await deps.transact(call, Step.FIRST_FACTOR_REFUSED, refuse)
        raise
    return account, identity


async def _record_refusal(
    tx: Transaction, deps: Dependencies, call: Call, given: ProviderCredential, reason: Reason
) -> None:
    await trail.record(
        tx, call, NOBODY, "start_sign_in", reason, deps.now(), factor=given.first_factor, provider=given.provider
    )
