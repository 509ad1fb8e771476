"""CreateAccount by a provider's identity: its verified address becomes the account's."""

import hmac
from functools import partial
from uuid import UUID, uuid4

from twofactor_server.crypto.codes import authorization_code_fingerprint
from twofactor_server.domain.accounts import Account, normalise_email
from twofactor_server.domain.calls import Call
from twofactor_server.domain.identities import LinkedIdentity, ProvenIdentity, ProviderCredential
from twofactor_server.domain.refusals import Reason, Refusal, invalid
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.steps import Step
from twofactor_server.storage import accounts, identities
from twofactor_server.storage.database import Transaction


class IdentityAccounts:
    """CreateAccount, with ``oidc`` or ``github``."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def create(self, call: Call, given: ProviderCredential, request_id: UUID | None) -> Account:
        """An account without a password, linked to the identity. The same call repeated returns the same account, and
        asks nobody: the code was spent by the first."""
        self._deps.providers.check(given)
        fingerprint = authorization_code_fingerprint(given.provider, given.authorization_code)
        if known := await self._created(request_id, fingerprint):
            return known
        try:
            identity = await self._deps.providers.exchange(given, call.deadline, want_email=True)
        except Refusal:
            # Spent by another call of this request_id, perhaps, that was quicker.
            if known := await self._created(request_id, fingerprint):
                return known
            raise
        if identity.email is None:
            raise invalid(given.path, "a sign-in whose provider has verified the address")
        email = normalise_email(identity.email, given.path)
        work = partial(
            self._create, call=call, given=given, identity=identity, email=email, request_id=request_id,
            fingerprint=fingerprint,
        )  # fmt: skip
        created: Account | None = await self._deps.transact(call, Step.ACCOUNT_CREATED, work)
        created = created or await self._created(request_id, fingerprint)
        if created is None:
            raise Refusal(Reason.CONFLICT)
        return created

    async def _created(self, request_id: UUID | None, fingerprint: bytes) -> Account | None:
        """The account that this call created before. Created with other content, or closed since: REQUEST_ID_REUSED."""
        if request_id is None:
            return None
        known = await self._deps.database.read(partial(accounts.by_creation, request_id=request_id))
        if known is None:
            return None
        recorded = await self._deps.database.read(partial(accounts.creation_fingerprint, request_id=request_id))
        if known.close_time is not None or recorded is None or not hmac.compare_digest(recorded, fingerprint):
            raise Refusal(Reason.REQUEST_ID_REUSED, field="request_id")
        return known

    async def _create(
        self, tx: Transaction, call: Call, given: ProviderCredential, identity: ProvenIdentity, email: str,
        request_id: UUID | None, fingerprint: bytes,
    ) -> Account | None:  # fmt: skip
        """The new account; None if the request_id created one already."""
        now = self._deps.now()
        account = Account(uuid4(), email, now, now, None, password_version=0, linked_providers=(identity.provider,))
        if request_id and not await accounts.claim_creation(tx, request_id, account.account_id, fingerprint):
            return None
        if not await accounts.claim_email(tx, email, account.account_id):
            # Whose address it is says nothing of whose identity: nothing is ever linked for the sake of an address.
            owner = await identities.owner(tx, identity.issuer, identity.subject)
            raise Refusal(Reason.IDENTITY_TAKEN if owner else Reason.EMAIL_TAKEN, field=given.path)
        await accounts.create(tx, account)
        linked = LinkedIdentity(
            account.account_id, uuid4(), identity.provider, identity.issuer, identity.subject, email, now
        )
        if not await identities.link(tx, linked):
            raise Refusal(Reason.IDENTITY_TAKEN, field=given.path)
        await trail.record(
            tx, call, account.account_id, "create_account", trail.SUCCESS, now, factor=given.first_factor,
            provider=identity.provider,
        )  # fmt: skip
        return account
