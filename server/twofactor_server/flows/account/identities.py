"""LinkIdentity, UnlinkIdentity and ListIdentities: one more way to sign in, or one less."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.emails import normalise_email
from twofactor_server.domain.identities import (
    GITHUB,
    LinkedIdentity,
    ProvenIdentity,
    ProviderCredential,
    check_not_last,
)
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import CommittedRefusal, InvalidValue, Reason, Refusal, refuse_committed, unwrap
from twofactor_server.domain.revert import identity_link
from twofactor_server.flows.idempotency import IdempotentRequest, find_session_reply, store_session_reply
from twofactor_server.flows.reauthentication import (
    ChargedReauthentication,
    cancel_charge,
    charge_reauthentication,
    confirm_reauthentication,
    verify_reauthentication,
)
from twofactor_server.flows.session_lock import LockedSession, lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.mail.notices import IdentityLinked, IdentityUnlinked
from twofactor_server.storage import accounts, challenges, identities, sessions


@dataclass(frozen=True, slots=True)
class IdentityView:
    """A linked identity as its owner sees it."""

    identity_id: UUID
    provider: str
    email: str
    link_time: datetime


class Identities:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def link(
        self,
        call: Call,
        token: Token,
        given: Reauthentication,
        credential: ProviderCredential,
        request_id: UUID | None,
    ) -> IdentityView:
        """Link the identity. The exchanges with providers are made outside any transaction."""
        content = f"{credential.provider}\0{credential.authorization_code}"
        request = IdempotentRequest("LinkIdentity", token, request_id, content)
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.LINK_CHARGED) as uow:
                locked = await lock_session(uow, token)
                if content_before := await find_session_reply(uow, request, locked.session):
                    return _from_reply(content_before)
                outcome = await charge_reauthentication(uow, token, locked, given)
            charged = unwrap(outcome)
            verified = await verify_reauthentication(self._deps, call, charged, slot)
        try:
            identity = await self._deps.providers.exchange(credential, call.deadline, want_email=True)
        except Refusal:
            if linked := await self._recover_failed_exchange(call, request, charged):
                return linked
            raise
        async with self._deps.unit_of_work(call, TransactionName.IDENTITY_LINKED) as uow:
            locked = await lock_session(uow, token)
            if content_before := await find_session_reply(uow, request, locked.session):
                return _from_reply(content_before)
            await confirm_reauthentication(uow, locked, verified)
            result = await self._link(uow, request, locked, identity)
        return unwrap(result)

    async def unlink(self, call: Call, token: Token, given: Reauthentication, identity_id: UUID) -> None:
        """Remove the link. No effect on an unknown one."""
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.UNLINK_CHARGED) as uow:
                locked = await lock_session(uow, token)
                if await _find(uow, token, identity_id) is None:
                    return
                outcome = await charge_reauthentication(uow, token, locked, given)
            verified = await verify_reauthentication(self._deps, call, unwrap(outcome), slot)
        async with self._deps.unit_of_work(call, TransactionName.IDENTITY_UNLINKED) as uow:
            locked = await lock_session(uow, token)
            linked = await _find(uow, token, identity_id)
            if linked is None:
                return
            await confirm_reauthentication(uow, locked, verified)
            refusal = await self._unlink(uow, locked, linked)
        unwrap(refusal)

    async def list(self, token: Token) -> list[IdentityView]:
        """The linked identities, oldest first. Does not count as activity of the session."""
        async with self._deps.database.reading() as tx:
            session = await sessions.find(tx, token.account_id, token.digest)
            if session is None:
                raise Refusal(Reason.SESSION_ENDED)
            session.check_live(self._deps.now(), self._deps.session_limits)
            return [_view(linked) for linked in await identities.list_identities(tx, token.account_id)]

    async def _recover_failed_exchange(
        self, call: Call, request: IdempotentRequest, charged: ChargedReauthentication
    ) -> IdentityView | None:
        """The answer of a faster call with the same request_id, which spent the code. If there is none, the charge of
        the re-authentication is cancelled: what failed was no guess at the account."""
        async with self._deps.unit_of_work(call, TransactionName.REAUTHENTICATION_CANCELLED) as uow:
            locked = await lock_session(uow, request.token)
            if content := await find_session_reply(uow, request, locked.session):
                return _from_reply(content)
            await cancel_charge(uow, locked, charged)
            return None

    async def _link(
        self, uow: UnitOfWork, request: IdempotentRequest, locked: LockedSession, identity: ProvenIdentity
    ) -> IdentityView | CommittedRefusal:
        account_id, session = locked.session.account_id, locked.session
        linked = await identities.find(uow.tx, account_id, identity.issuer, identity.subject)
        if linked is None:
            email = _displayable(identity.email)
            linked = LinkedIdentity(
                account_id, uuid4(), identity.provider, identity.issuer, identity.subject, email, uow.now
            )
            if not await identities.link(uow.tx, linked):
                # Committed, so that the right re-authentication is kept.
                return refuse_committed(Reason.IDENTITY_TAKEN)
            await self._audit(uow, locked, linked, "link_identity")
            notice = IdentityLinked(**uow.notice_context(session.email), provider=linked.provider)
            await uow.notify_with_undo_link(account_id, notice, **identity_link(linked.identity_id))
        view = _view(linked)
        await store_session_reply(uow, request, session, _to_reply(view))
        return view

    async def _unlink(self, uow: UnitOfWork, locked: LockedSession, linked: LinkedIdentity) -> CommittedRefusal | None:
        account_id = linked.account_id
        account = await accounts.find(uow.tx, account_id)
        has_password = account is not None and account.password_hash is not None
        all_linked = await identities.list_identities(uow.tx, account_id)
        if refusal := check_not_last(linked, all_linked, has_password=has_password):
            return refusal
        await identities.unlink(uow.tx, account_id, linked.identity_id)
        await challenges.void_open_by_first_factor(uow.tx, account_id, _first_factor(linked), uow.now)
        await self._audit(uow, locked, linked, "unlink_identity")
        notice = IdentityUnlinked(**uow.notice_context(locked.session.email), provider=linked.provider)
        await uow.notify_with_undo_link(account_id, notice)
        return None

    async def _audit(self, uow: UnitOfWork, locked: LockedSession, linked: LinkedIdentity, action: str) -> None:
        await uow.audit(
            linked.account_id, action, factor=_first_factor(linked), session=locked.session,
            provider=linked.provider, identity=str(linked.identity_id),
        )  # fmt: skip


async def _find(uow: UnitOfWork, token: Token, identity_id: UUID) -> LinkedIdentity | None:
    all_linked = await identities.list_identities(uow.tx, token.account_id)
    return next((linked for linked in all_linked if linked.identity_id == identity_id), None)


def _view(linked: LinkedIdentity) -> IdentityView:
    return IdentityView(linked.identity_id, linked.provider, linked.email, linked.link_time)


def _to_reply(view: IdentityView) -> dict[str, str]:
    return {
        "identity_id": str(view.identity_id),
        "provider": view.provider,
        "email": view.email,
        "link_time": view.link_time.isoformat(),
    }


def _from_reply(content: dict[str, Any]) -> IdentityView:
    link_time = datetime.fromisoformat(content["link_time"])
    return IdentityView(UUID(content["identity_id"]), content["provider"], content["email"], link_time)


def _first_factor(linked: LinkedIdentity) -> str:
    return GITHUB if linked.provider == GITHUB else "oidc"


def _displayable(email: str | None) -> str:
    """The provider's address if it is one: it is only displayed."""
    try:
        return normalise_email(email) if email else ""
    except InvalidValue:
        return ""
