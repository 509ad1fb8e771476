"""CreateAccount and GetAccount."""

from functools import partial
from uuid import UUID, uuid4

from twofactor_server.crypto.hashing import Place
from twofactor_server.domain.accounts import Account, normalise_email
from twofactor_server.domain.calls import Call
from twofactor_server.domain.passwords import check_not_about
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.password_change import chosen, hash_chosen
from twofactor_server.flows.steps import Step
from twofactor_server.storage import accounts
from twofactor_server.storage.database import Transaction


class Accounts:
    """CreateAccount and GetAccount."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def create(self, call: Call, email: str, password: str, request_id: UUID | None) -> Account:
        """An account on e-mail codes, with or without a password. The same call repeated returns the same account."""
        email = normalise_email(email, "email")
        if password:
            password = await chosen(password, "password")
            check_not_about(password, "password", email, self._deps.product_name)
        with self._deps.hashing.place() as place:
            if request_id:
                known = await self._deps.database.read(partial(accounts.by_creation, request_id=request_id))
                if known:
                    return await self._same(call, place, known, email, password)
            hashed = None
            if password:
                hashed = await hash_chosen(self._deps, call, place, password)
            created: Account | None = await self._deps.transact(
                call,
                Step.ACCOUNT_CREATED,
                partial(self._create, call=call, email=email, password_hash=hashed, request_id=request_id),
            )
            if created:
                return created
            # Another call with this request_id was quicker: it is the same one, or it has other content.
            known = await self._deps.database.read(partial(accounts.by_creation, request_id=request_id or uuid4()))
            if known is None:
                raise Refusal(Reason.CONFLICT)
            return await self._same(call, place, known, email, password)

    async def get(self, *, account_id: UUID | None = None, email: str = "") -> Account:
        """The account with this id, or this address."""
        find = (
            partial(accounts.by_id, account_id=account_id)
            if account_id
            else partial(accounts.by_email, email=normalise_email(email, "email"))
        )
        account = await self._deps.database.read(find)
        if account is None:
            raise Refusal(Reason.ACCOUNT_NOT_FOUND)
        return account

    async def _create(
        self, tx: Transaction, call: Call, email: str, password_hash: str | None, request_id: UUID | None
    ) -> Account | None:
        """The new account; None if the request_id created one already."""
        now = self._deps.now()
        account = Account(uuid4(), email, None, now, password_hash, password_version=1 if password_hash else 0)
        if request_id and not await accounts.claim_creation(tx, request_id, account.account_id):
            return None
        if not await accounts.claim_email(tx, email, account.account_id):
            raise Refusal(Reason.EMAIL_TAKEN, field="email")
        await accounts.create(tx, account)
        await trail.record(tx, call, account.account_id, "create_account", trail.SUCCESS, now)
        return account

    async def _same(self, call: Call, place: Place, known: Account, email: str, password: str) -> Account:
        """The account that this request_id created, if the content is what it was then."""
        same = known.close_time is None and known.email == email and (known.password_hash is None) == (not password)
        if same and known.password_hash:
            verify = partial(self._deps.hashing.argon2id.verify, known.password_hash, password)
            same = await place.run(verify, call.deadline, key="verify")
        if not same:
            raise Refusal(Reason.REQUEST_ID_REUSED, field="request_id")
        return known
