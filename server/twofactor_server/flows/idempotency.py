"""Idempotency: a call repeated with the same request_id gets the answer that the first one got.

The answer is kept sealed under a key that only the holder of the caller's token can derive.
"""

import hmac
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from twofactor_server.crypto.hashing import NewBackupCode
from twofactor_server.crypto.sealing import ReplyContext, UnsealError, content_fingerprint, seal_reply, unseal_reply
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.backup_codes import grouped
from twofactor_server.domain.limits import REPLY_LIFETIME
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.sessions import Session
from twofactor_server.flows.unit_of_work import UnitOfWork
from twofactor_server.storage import replies
from twofactor_server.storage.replies import Reply


@dataclass(frozen=True, slots=True)
class IdempotentRequest:
    """One request, however often the network carries it.

    ``token`` is the challenge's or the session's. ``content`` is what the request asks for (a normalised code, a
    setup), not who sends it or how they re-authenticate. Without a ``request_id`` nothing is stored and nothing found.
    """

    method: str
    token: Token
    request_id: UUID | None
    content: str = field(repr=False)

    async def find_reply(self, uow: UnitOfWork, scope_id: UUID) -> dict[str, Any] | None:
        """The reply stored for this request in this scope (a challenge or session); None if not found.

        The same request_id with other content: REQUEST_ID_REUSED. An erased or expired reply, or one sealed under a
        retired key: REQUEST_ID_EXPIRED.
        """
        if self.request_id is None:
            return None
        reply = await replies.find(uow.tx, self.token.account_id, scope_id, self.request_id)
        if reply is None:
            return None
        if not hmac.compare_digest(reply.fingerprint, self._fingerprint()):
            raise Refusal(Reason.REQUEST_ID_REUSED)
        if reply.sealed is None or uow.now >= reply.expire_time:
            raise Refusal(Reason.REQUEST_ID_EXPIRED)
        context = self._context(scope_id, self.request_id, reply.generation)
        try:
            plaintext = unseal_reply(uow.deps.keyring, reply.key_id, self.token, context, reply.sealed)
        except UnsealError:
            raise Refusal(Reason.REQUEST_ID_EXPIRED) from None
        content: dict[str, Any] = json.loads(plaintext)
        return content

    async def store_reply(
        self, uow: UnitOfWork, content: dict[str, Any], *, scope_id: UUID, session_id: UUID, generation: int | None
    ) -> None:
        """Seal the reply and write it in the transaction of the change."""
        if self.request_id is None:
            return
        context = self._context(scope_id, self.request_id, generation)
        key_id, sealed = seal_reply(uow.deps.keyring, self.token, context, json.dumps(content).encode())
        reply = Reply(
            account_id=self.token.account_id,
            scope_id=scope_id,
            request_id=self.request_id,
            method=self.method,
            fingerprint=self._fingerprint(),
            session_id=session_id,
            generation=generation,
            key_id=key_id,
            sealed=sealed,
            create_time=uow.now,
            expire_time=uow.now + REPLY_LIFETIME,
        )
        await replies.store(uow.tx, reply)

    def _fingerprint(self) -> bytes:
        return content_fingerprint(self.token, f"{self.method}\0{self.content}".encode())

    def _context(self, scope_id: UUID, request_id: UUID, generation: int | None) -> ReplyContext:
        return ReplyContext(self.token.account_id, scope_id, generation or 0, self.method, request_id)


async def find_session_reply(uow: UnitOfWork, request: IdempotentRequest, session: Session) -> dict[str, Any] | None:
    """The reply to a request made in a session, audited as a replay. Comes before every other check of the request."""
    content = await request.find_reply(uow, session.session_id)
    if content is not None:
        await uow.audit(session.account_id, "replay", session=session, method=request.method)
    return content


async def store_session_reply(
    uow: UnitOfWork,
    request: IdempotentRequest,
    session: Session,
    content: dict[str, Any],
    generation: int | None = None,
) -> None:
    """Store the reply to a request made in a session."""
    session_id = session.session_id
    await request.store_reply(uow, content, scope_id=session_id, session_id=session_id, generation=generation)


@dataclass(frozen=True, slots=True)
class ShownBackupCode:
    """A backup code on its way to the owner, in groups of four."""

    code: str = field(repr=False)
    generation: int


@dataclass(frozen=True, slots=True)
class BackupCodeResult:
    """The answer of setup and regeneration. ``replayed``: the same answer was given before."""

    backup_code: ShownBackupCode
    replayed: bool


async def find_backup_code(uow: UnitOfWork, request: IdempotentRequest, session: Session) -> BackupCodeResult | None:
    """The backup code that an earlier attempt of this request was answered with."""
    content = await find_session_reply(uow, request, session)
    if content is None:
        return None
    return BackupCodeResult(ShownBackupCode(content["code"], content["generation"]), replayed=True)


async def store_backup_code(
    uow: UnitOfWork, request: IdempotentRequest, session: Session, new_code: NewBackupCode, generation: int
) -> BackupCodeResult:
    """The answer with the new backup code, stored for the session that asked."""
    shown = ShownBackupCode(grouped(new_code.code), generation)
    content = {"code": shown.code, "generation": shown.generation}
    await store_session_reply(uow, request, session, content, generation)
    return BackupCodeResult(shown, replayed=False)
