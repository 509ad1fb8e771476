"""The unit of work: one transaction of one call, and what every change writes besides itself.

    async with deps.unit_of_work(call, TransactionName.EMAIL_CODE_VERIFIED) as uow:
        factor, challenge = await lock_challenge(uow, token)
        ...

The block commits at its end and rolls back when an exception leaves it, a ``Refusal`` included. A refusal that must
keep what it wrote is returned as a ``CommittedRefusal`` instead.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, TypedDict
from uuid import UUID, uuid4

from twofactor_server.crypto.hashing import HashingQueue
from twofactor_server.crypto.keyring import KeyPurpose, Keyring
from twofactor_server.crypto.sealing import seal
from twofactor_server.crypto.tokens import Token, TokenKind, new_token
from twofactor_server.domain.calls import Call, DeadlinePassed
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.mailed_links import LinkPurpose, MailedLink
from twofactor_server.domain.second_factors import Proof
from twofactor_server.domain.sessions import Session, SessionLimits
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.identity.providers import IdentityProviders
from twofactor_server.mail.notices import Notice
from twofactor_server.storage import audit, mailed_links, outbox
from twofactor_server.storage.database import Database, Transaction

SUCCESS = "success"
NOTICE_LIFETIME = timedelta(days=3)
"""How long delivery of a notice is tried. A code is tried until it expires."""


class NoticeContext(TypedDict):
    """The fields of every notice: who receives it, and the time and origin of the call."""

    recipient: str
    time: datetime
    ip_address: str
    user_agent: str


class UnitOfWork:
    """An open transaction ``tx``, the ``call`` that it serves, and ``now``, the time when it began."""

    def __init__(self, tx: Transaction, call: Call, now: datetime, deps: "Dependencies") -> None:
        self.tx = tx
        self.call = call
        self.now = now
        self.deps = deps

    async def audit(
        self,
        account_id: UUID,
        action: str,
        outcome: str = SUCCESS,
        *,
        factor: Proof | str | None = None,
        challenge: Challenge | None = None,
        session: Session | None = None,
        **details: str | int,
    ) -> None:
        """Write an audit event. ``outcome`` is "success" or the reason of the refusal; ``details`` hold no secret."""
        event = audit.AuditEvent(
            account_id=account_id,
            event_id=uuid4(),
            time=self.now,
            action=action,
            outcome=outcome,
            factor=factor,
            caller=self.call.caller,
            call_id=self.call.call_id,
            ip_address=self.call.client.ip_address,
            user_agent=self.call.client.user_agent,
            challenge_id=challenge.challenge_id if challenge else None,
            session_id=session.session_id if session else None,
            details=details,
        )
        await audit.record(self.tx, event)

    def notice_context(self, recipient: str) -> NoticeContext:
        """As in ``PasswordChanged(**uow.notice_context(account.email))``."""
        client = self.call.client
        return NoticeContext(
            recipient=recipient, time=self.now, ip_address=client.ip_address, user_agent=client.user_agent
        )

    async def notify(
        self, account_id: UUID, notice: Notice, lifetime: timedelta = NOTICE_LIFETIME, *, decoy: bool = False
    ) -> None:
        """Enqueue an e-mail. It is sent after the commit, and tried again for ``lifetime``.

        A ``decoy`` does the same work without an e-mail, so that the two cannot be told apart by their time.
        """
        message_id = uuid4()
        plaintext = json.dumps(notice.payload()).encode()
        payload = seal(self.deps.keyring, KeyPurpose.OUTBOX, outbox_associated_data(account_id, message_id), plaintext)
        message = outbox.OutboxMessage(
            account_id, message_id, notice.kind, payload, notice.time, notice.time + lifetime, tries=0
        )
        await (outbox.enqueue_decoy if decoy else outbox.enqueue)(self.tx, message)
        self.tx.after_commit(self.deps.wake_delivery)

    async def notify_with_undo_link(
        self, account_id: UUID, notice: Notice, *, totp_secret: bytes | None = None, **details: Any
    ) -> None:
        """Enqueue the notice of a change with the "this wasn't me" link.

        ``details`` say what the link reverts (domain/revert.py) and hold no secret. ``totp_secret`` is the sealed
        secret of the authenticator that the change replaced; it is kept as long as the link works.
        """
        token = await self.create_link(
            account_id, LinkPurpose.UNDO, totp_secret=totp_secret, kind=notice.kind, **details
        )
        await self.notify(account_id, replace(notice, undo_token=token.text))

    async def create_link(
        self, account_id: UUID, purpose: LinkPurpose, *, totp_secret: bytes | None = None, **details: Any
    ) -> Token:
        """Write a new link. Its token goes into a sealed e-mail and nowhere else."""
        token = new_token(TokenKind.LINK, account_id)
        link = MailedLink(
            account_id=account_id,
            link_id=uuid4(),
            purpose=purpose,
            details=details,
            totp_secret=totp_secret,
            create_time=self.now,
            expire_time=self.now + purpose.lifetime,
            void_time=None,
            use_time=None,
            use_fingerprint=None,
        )
        await mailed_links.create(self.tx, link, token.digest)
        return token


@dataclass(frozen=True)
class Dependencies:
    """What flows need, put together once. ``crash_hook`` is called at each crash point; only test mode uses it."""

    database: Database
    keyring: Keyring
    hashing: HashingQueue
    now: Callable[[], datetime]
    crash_hook: Callable[[str], None]
    wake_delivery: Callable[[], None]
    session_limits: SessionLimits
    product_name: str
    providers: IdentityProviders = field(default_factory=IdentityProviders)

    def unit_of_work(self, call: Call, name: TransactionName) -> "_UnitOfWorkBlock":
        """One transaction of the call. Not begun (DeadlinePassed) if no one waits for the answer any more."""
        return _UnitOfWorkBlock(self, call, name)


class _UnitOfWorkBlock:
    def __init__(self, deps: Dependencies, call: Call, name: TransactionName) -> None:
        self._deps = deps
        self._call = call
        self._name = name
        self._transaction = deps.database.transaction()

    async def __aenter__(self) -> UnitOfWork:
        if self._call.abandoned or time.monotonic() >= self._call.deadline:
            raise DeadlinePassed
        self._deps.crash_hook(self._name.before)
        tx = await self._transaction.__aenter__()
        return UnitOfWork(tx, self._call, self._deps.now(), self._deps)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._deps.crash_hook(self._name.uncommitted)
            except BaseException as crash:
                await self._transaction.__aexit__(type(crash), crash, crash.__traceback__)
                raise
        await self._transaction.__aexit__(kind, error, trace)
        if error is None:
            self._deps.crash_hook(self._name.committed)


def outbox_associated_data(account_id: UUID, message_id: UUID) -> bytes:
    """Binds a sealed payload to its row of the outbox."""
    return account_id.bytes + message_id.bytes
