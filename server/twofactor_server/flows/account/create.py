"""CreateAccount and GetAccount."""

import hmac
from dataclasses import dataclass
from functools import partial
from uuid import UUID, uuid4

from twofactor_server.crypto.codes import authorization_code_fingerprint
from twofactor_server.crypto.hashing import Slot
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.emails import normalise_email
from twofactor_server.domain.identities import LinkedIdentity, ProvenIdentity, ProviderCredential
from twofactor_server.domain.passwords import check_context_specific
from twofactor_server.domain.refusals import InvalidValue, Reason, Refusal, invalid
from twofactor_server.flows.account.passwords import check_new_password, hash_new_password
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.storage import accounts, identities


@dataclass(frozen=True, slots=True)
class _NewIdentityAccount:
    identity: ProvenIdentity
    email: str
    first_factor: str
    request_id: UUID | None
    fingerprint: bytes


class Accounts:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def get(self, *, account_id: UUID | None = None, email: str = "") -> Account:
        """The account with this id, or this normalised address."""
        async with self._deps.database.reading() as tx:
            account = await (accounts.find(tx, account_id) if account_id else accounts.find_by_email(tx, email))
        if account is None:
            raise Refusal(Reason.ACCOUNT_NOT_FOUND)
        return account

    async def create(self, call: Call, email: str, password: str, request_id: UUID | None) -> Account:
        """An account on e-mail codes, without a password if it is "". A repeated call returns the same account."""
        if password:
            await check_new_password(password)
            check_context_specific(password, email, self._deps.product_name)
        with self._deps.hashing.reserve() as slot:
            if request_id and (existing := await self._find_by_request_id(request_id)):
                return await self._check_repeated(call, slot, existing, email, password)
            password_hash = await hash_new_password(self._deps, call, slot, password) if password else None
            async with self._deps.unit_of_work(call, TransactionName.ACCOUNT_CREATED) as uow:
                created = await self._create(uow, email, password_hash, request_id)
            if created:
                return created
            # Another call with this request_id was faster: the same one, or one with other content.
            existing = await self._find_by_request_id(request_id) if request_id else None
            if existing is None:
                raise Refusal(Reason.CONFLICT)
            return await self._check_repeated(call, slot, existing, email, password)

    async def create_with_identity(self, call: Call, given: ProviderCredential, request_id: UUID | None) -> Account:
        """An account without a password, linked to the identity; the address that the provider has verified becomes its
        address. A repeated call returns the same account without an exchange: its code was spent by the first."""
        fingerprint = authorization_code_fingerprint(given.provider, given.authorization_code)
        if existing := await self._find_created_with(request_id, fingerprint):
            return existing
        try:
            identity = await self._deps.providers.exchange(given, call.deadline, want_email=True)
        except Refusal:
            # The code may have been spent by a faster call with the same request_id.
            if existing := await self._find_created_with(request_id, fingerprint):
                return existing
            raise
        new = _NewIdentityAccount(identity, _verified_email(identity), given.first_factor, request_id, fingerprint)
        async with self._deps.unit_of_work(call, TransactionName.ACCOUNT_CREATED) as uow:
            created = await self._create_with_identity(uow, new)
        created = created or await self._find_created_with(request_id, fingerprint)
        if created is None:
            raise Refusal(Reason.CONFLICT)
        return created

    async def _create(
        self, uow: UnitOfWork, email: str, password_hash: str | None, request_id: UUID | None
    ) -> Account | None:
        """The new account; None if the request_id created one before."""
        account = Account(uuid4(), email, None, uow.now, password_hash, password_version=1 if password_hash else 0)
        if request_id and not await accounts.claim_creation(uow.tx, request_id, account.account_id):
            return None
        if not await accounts.claim_email(uow.tx, email, account.account_id):
            raise Refusal(Reason.EMAIL_TAKEN)
        await accounts.create(uow.tx, account)
        await uow.audit(account.account_id, "create_account")
        return account

    async def _create_with_identity(self, uow: UnitOfWork, new: _NewIdentityAccount) -> Account | None:
        """The new account; None if the request_id created one before."""
        identity, now = new.identity, uow.now
        account = Account(uuid4(), new.email, now, now, None, password_version=0, linked_providers=(identity.provider,))
        account_id = account.account_id
        if new.request_id and not await accounts.claim_creation(uow.tx, new.request_id, account_id, new.fingerprint):
            return None
        if not await accounts.claim_email(uow.tx, new.email, account_id):
            # Having the same address is no reason to link the identity to the account that exists.
            owner = await identities.find_account(uow.tx, identity.issuer, identity.subject)
            raise Refusal(Reason.IDENTITY_TAKEN if owner else Reason.EMAIL_TAKEN)
        await accounts.create(uow.tx, account)
        linked = LinkedIdentity(
            account_id, uuid4(), identity.provider, identity.issuer, identity.subject, new.email, now
        )
        if not await identities.link(uow.tx, linked):
            raise Refusal(Reason.IDENTITY_TAKEN)
        await uow.audit(account_id, "create_account", factor=new.first_factor, provider=identity.provider)
        return account

    async def _find_by_request_id(self, request_id: UUID) -> Account | None:
        async with self._deps.database.reading() as tx:
            return await accounts.find_by_request_id(tx, request_id)

    async def _find_created_with(self, request_id: UUID | None, fingerprint: bytes) -> Account | None:
        """The account that this request created. Created with other content, or closed since: REQUEST_ID_REUSED."""
        if request_id is None:
            return None
        async with self._deps.database.reading() as tx:
            existing = await accounts.find_by_request_id(tx, request_id)
            recorded = await accounts.find_creation_fingerprint(tx, request_id)
        if existing is None:
            return None
        if existing.close_time is not None or recorded is None or not hmac.compare_digest(recorded, fingerprint):
            raise Refusal(Reason.REQUEST_ID_REUSED)
        return existing

    async def _check_repeated(self, call: Call, slot: Slot, existing: Account, email: str, password: str) -> Account:
        """The account that this request_id created, if the call has the same content as then."""
        same = (
            existing.close_time is None
            and existing.email == email
            and (existing.password_hash is None) == (not password)
        )
        if same and existing.password_hash:
            verify = partial(self._deps.hashing.argon2id.verify, existing.password_hash, password)
            same = await slot.run(verify, call.deadline, key="verify")
        if not same:
            raise Refusal(Reason.REQUEST_ID_REUSED)
        return existing


def _verified_email(identity: ProvenIdentity) -> str:
    if identity.email is None:
        raise invalid("a sign-in whose provider has verified the address")
    try:
        return normalise_email(identity.email)
    except InvalidValue as error:
        raise invalid(str(error)) from None
