"""LinkIdentity, UnlinkIdentity and ListIdentities: one more way in, or one less."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID, uuid4

from twofactor_server.crypto.tokens import Token, TokenKind, parse_token
from twofactor_server.domain.accounts import normalise_email
from twofactor_server.domain.calls import Call
from twofactor_server.domain.identities import (
    GITHUB,
    LinkedIdentity,
    ProvenIdentity,
    ProviderCredential,
    check_not_last,
)
from twofactor_server.domain.not_me import identity_linked
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.flows.ownership import Owner, lock_owner
from twofactor_server.flows.reauthentication import Charged, Reauthenticating
from twofactor_server.flows.steps import Step
from twofactor_server.mail.account_notices import IdentityLinked, IdentityUnlinked
from twofactor_server.storage import accounts, challenges, identities, sessions
from twofactor_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class ShownIdentity:
    """A link, as its owner is shown it."""

    identity_id: UUID
    provider: str
    email: str
    link_time: datetime


class Identities:
    """LinkIdentity, UnlinkIdentity and ListIdentities."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reauthenticating = Reauthenticating(deps)

    async def link(
        self, call: Call, session_token: str, given: Reauthentication, credential: ProviderCredential,
        request_id: UUID | None,
    ) -> ShownIdentity:  # fmt: skip
        """Link the identity. Both exchanges (the owner's proof may be one too) are made outside any transaction."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        content = f"{credential.provider}\0{credential.authorization_code}"
        logical = LogicalCall("LinkIdentity", token, request_id, content)

        async def charge(tx: Transaction) -> Charged | ShownIdentity | Refusal:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            if before := await self._shown_before(tx, call, logical, owner, now):
                return before
            self._deps.providers.check(credential)
            return await self._reauthenticating.charge(tx, call, token, owner, given.normalised(), now)

        with self._deps.hashing.place() as place:
            charged: Charged | ShownIdentity = await self._deps.transact(call, Step.LINK_CHARGED, charge)
            if isinstance(charged, ShownIdentity):
                return charged
            await self._reauthenticating.judge(call, charged, place)
        try:
            identity = await self._deps.providers.exchange(credential, call.deadline, want_email=True)
        except Refusal:
            again = partial(self._withdraw, call=call, logical=logical, charged=charged)
            if before := await self._deps.transact(call, Step.REAUTHENTICATION_WITHDRAWN, again):
                return before
            raise
        link = partial(self._link, call=call, logical=logical, charged=charged, identity=identity)
        return await self._deps.transact(call, Step.IDENTITY_LINKED, link)

    async def unlink(self, call: Call, session_token: str, given: Reauthentication, identity_id: UUID) -> None:
        """Remove the link; one that is unknown is removed already."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")

        async def charge(tx: Transaction) -> Charged | Refusal | None:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            if await self._found(tx, token, identity_id) is None:
                return None
            return await self._reauthenticating.charge(tx, call, token, owner, given.normalised(), now)

        with self._deps.hashing.place() as place:
            charged: Charged | None = await self._deps.transact(call, Step.UNLINK_CHARGED, charge)
            if charged is None:
                return
            await self._reauthenticating.judge(call, charged, place)
        unlink = partial(self._unlink, call=call, token=token, charged=charged, identity_id=identity_id)
        await self._deps.transact(call, Step.IDENTITY_UNLINKED, unlink)

    async def list(self, session_token: str) -> list[ShownIdentity]:
        """The links, the oldest first. Reads only: it neither locks nor touches anything."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")

        async def work(tx: Transaction) -> list[ShownIdentity]:
            session = await sessions.find(tx, token.account_id, token.digest)
            if session is None:
                raise Refusal(Reason.SESSION_ENDED)
            session.check_live(self._deps.now(), self._deps.session_limits)
            return [_shown(linked) for linked in await identities.of_account(tx, token.account_id)]

        return await self._deps.database.read(work)

    async def _link(
        self, tx: Transaction, call: Call, logical: LogicalCall, charged: Charged, identity: ProvenIdentity
    ) -> ShownIdentity | Refusal:
        now = self._deps.now()
        owner = await lock_owner(tx, logical.token, now, self._deps.session_limits)
        if before := await self._shown_before(tx, call, logical, owner, now):
            return before
        await self._reauthenticating.confirm(tx, owner, charged)
        account_id = owner.session.account_id
        linked = await identities.find(tx, account_id, identity.issuer, identity.subject)
        if linked is None:
            linked = LinkedIdentity(
                account_id, uuid4(), identity.provider, identity.issuer, identity.subject, _plain(identity.email), now
            )
            if not await identities.link(tx, linked):
                # Returned, so that the right re-authentication is kept as one.
                return Refusal(Reason.IDENTITY_TAKEN)
            await self._tell(tx, call, owner, linked, IdentityLinked, "link_identity", now)
        shown = _shown(linked)
        session_id = owner.session.session_id
        await logical.keep(
            tx, self._deps, scope_id=session_id, session_id=session_id, generation=None, content=_plain_form(shown),
            now=now,
        )  # fmt: skip
        return shown

    async def _unlink(
        self, tx: Transaction, call: Call, token: Token, charged: Charged, identity_id: UUID
    ) -> Refusal | None:
        now = self._deps.now()
        owner = await lock_owner(tx, token, now, self._deps.session_limits)
        linked = await self._found(tx, token, identity_id)
        if linked is None:
            return None
        await self._reauthenticating.confirm(tx, owner, charged)
        account = await accounts.by_id(tx, token.account_id)
        all_linked = await identities.of_account(tx, token.account_id)
        has_password = account is not None and account.password_hash is not None
        if refusal := check_not_last(linked, all_linked, has_password=has_password):
            return refusal
        await identities.unlink(tx, linked.account_id, linked.identity_id)
        await challenges.void_begun_by(tx, token.account_id, _first_factor(linked), now)
        await self._tell(tx, call, owner, linked, IdentityUnlinked, "unlink_identity", now)
        return None

    async def _tell(
        self, tx: Transaction, call: Call, owner: Owner, linked: LinkedIdentity,
        kind: type[IdentityLinked] | type[IdentityUnlinked], action: str, now: datetime,
    ) -> None:  # fmt: skip
        account_id = owner.session.account_id
        await trail.record(
            tx, call, account_id, action, trail.SUCCESS, now, factor=_first_factor(linked), session=owner.session,
            provider=linked.provider, identity=str(linked.identity_id),
        )  # fmt: skip
        notice = kind(**trail.told(owner.session.email, call, now), provider=linked.provider)
        undoing = identity_linked(linked.identity_id) if kind is IdentityLinked else {}
        await trail.post_undoable(tx, self._deps, account_id, notice, **undoing)

    async def _withdraw(
        self, tx: Transaction, call: Call, logical: LogicalCall, charged: Charged
    ) -> ShownIdentity | None:
        """The owner has proved enough, and what failed is no guess at the account. The answer, if another call with
        this request_id was quicker and spent the code."""
        now = self._deps.now()
        owner = await lock_owner(tx, logical.token, now, self._deps.session_limits)
        if before := await self._shown_before(tx, call, logical, owner, now):
            return before
        await self._reauthenticating.withdraw(tx, owner, charged)
        return None

    async def _shown_before(
        self, tx: Transaction, call: Call, logical: LogicalCall, owner: Owner, now: datetime
    ) -> ShownIdentity | None:
        content = await logical.answered(tx, self._deps, owner.session.session_id, now)
        if content is None:
            return None
        await trail.record(
            tx, call, owner.session.account_id, "replay", trail.SUCCESS, now, session=owner.session,
            method=logical.method,
        )  # fmt: skip
        link_time = datetime.fromisoformat(content["link_time"])
        return ShownIdentity(UUID(content["identity_id"]), content["provider"], content["email"], link_time)

    @staticmethod
    async def _found(tx: Transaction, token: Token, identity_id: UUID) -> LinkedIdentity | None:
        linked = await identities.of_account(tx, token.account_id)
        return next((one for one in linked if one.identity_id == identity_id), None)


def _shown(linked: LinkedIdentity) -> ShownIdentity:
    return ShownIdentity(linked.identity_id, linked.provider, linked.email, linked.link_time)


def _plain_form(shown: ShownIdentity) -> dict[str, str]:
    return {
        "identity_id": str(shown.identity_id),
        "provider": shown.provider,
        "email": shown.email,
        "link_time": shown.link_time.isoformat(),
    }


def _first_factor(linked: LinkedIdentity) -> str:
    return GITHUB if linked.provider == GITHUB else "oidc"


def _plain(email: str | None) -> str:
    """The address, if it is one: it is only shown."""
    try:
        return normalise_email(email, "") if email else ""
    except Refusal:
        return ""
