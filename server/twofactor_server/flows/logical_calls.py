"""A logical call: what its owner did once, however often the network carries it. Repeated, it is answered the same."""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from twofactor_server.crypto.sealing import ReplyPlace, UnsealError, content_fingerprint, seal_reply, unseal_reply
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.backup_codes import REPLY_LIFETIME
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.storage import replies
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.replies import Reply


@dataclass(frozen=True, slots=True)
class LogicalCall:
    """``content`` is what says what to do (a normalised code, a setup), never who asks or how they proved it.

    Without a ``request_id`` no replay is wanted: nothing is kept and nothing found.
    """

    method: str
    token: Token
    request_id: UUID | None
    content: str

    async def answered(
        self, tx: Transaction, deps: Dependencies, scope_id: UUID, now: datetime
    ) -> dict[str, Any] | None:
        """The reply given before; None if this call was not answered with success yet.

        Other content under the same id: REQUEST_ID_REUSED. A reply that is erased, over, or sealed under a key
        that was retired: REQUEST_ID_EXPIRED.
        """
        if self.request_id is None:
            return None
        reply = await replies.find(tx, self.token.account_id, scope_id, self.request_id)
        if reply is None:
            return None
        if not hmac.compare_digest(reply.fingerprint, self._fingerprint()):
            raise Refusal(Reason.REQUEST_ID_REUSED, field="request_id")
        if reply.sealed is None or now >= reply.expire_time:
            raise Refusal(Reason.REQUEST_ID_EXPIRED)
        place = self._place(scope_id, self.request_id, reply.generation)
        try:
            plaintext = unseal_reply(deps.keyring, reply.key_id, self.token, place, reply.sealed)
        except UnsealError:
            raise Refusal(Reason.REQUEST_ID_EXPIRED) from None
        content: dict[str, Any] = json.loads(plaintext)
        return content

    async def keep(
        self,
        tx: Transaction,
        deps: Dependencies,
        *,
        scope_id: UUID,
        session_id: UUID,
        generation: int | None,
        content: dict[str, Any],
        now: datetime,
    ) -> None:
        """Seal the reply and write it, in the transaction of the change that it answers."""
        if self.request_id is None:
            return
        place = self._place(scope_id, self.request_id, generation)
        key_id, sealed = seal_reply(deps.keyring, self.token, place, json.dumps(content).encode())
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
            create_time=now,
            expire_time=now + REPLY_LIFETIME,
        )
        await replies.keep(tx, reply)

    def _fingerprint(self) -> bytes:
        return content_fingerprint(self.token, f"{self.method}\0{self.content}".encode())

    def _place(self, scope_id: UUID, request_id: UUID, generation: int | None) -> ReplyPlace:
        return ReplyPlace(self.token.account_id, scope_id, generation or 0, self.method, request_id)
