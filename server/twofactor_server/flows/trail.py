"""What every change leaves beside itself: an audit event, and a mail to the owner."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypedDict
from uuid import UUID, uuid4

from twofactor_server.crypto.keyring import Purpose
from twofactor_server.crypto.sealing import seal
from twofactor_server.domain.calls import Call
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.mailed_links import Purpose as LinkPurpose
from twofactor_server.domain.second_factors import Proof
from twofactor_server.domain.sessions import Session
from twofactor_server.flows import mailed_links
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.mail.notices import Notice
from twofactor_server.storage import audit, outbox
from twofactor_server.storage.database import Transaction

SUCCESS = "success"
NOTICE_LIFETIME = timedelta(days=3)
"""How long delivery of a notice is tried; a code is tried until it expires."""


async def record(
    tx: Transaction,
    call: Call,
    account_id: UUID,
    action: str,
    outcome: str,
    now: datetime,
    *,
    factor: Proof | str | None = None,
    challenge: Challenge | None = None,
    session: Session | None = None,
    **details: str | int,
) -> None:
    """Write the audit event of ``action`` in the transaction of what it tells. ``details`` hold no secret."""
    await audit.record(
        tx,
        audit.AuditEvent(
            account_id=account_id,
            event_id=uuid4(),
            time=now,
            action=action,
            outcome=outcome,
            factor=factor,
            caller=call.caller,
            call_id=call.call_id,
            ip_address=call.client.ip_address,
            user_agent=call.client.user_agent,
            challenge_id=challenge.challenge_id if challenge else None,
            session_id=session.session_id if session else None,
            details=details,
        ),
    )


class Told(TypedDict):
    """What every notice tells beside its own: to whom, of which moment, of whose call."""

    recipient: str
    time: datetime
    ip_address: str
    user_agent: str


def told(recipient: str, call: Call, now: datetime) -> Told:
    """The fields of a notice of this call: ``PasswordChanged(**told(account.email, call, now))``."""
    return Told(recipient=recipient, time=now, ip_address=call.client.ip_address, user_agent=call.client.user_agent)


async def post(
    tx: Transaction,
    deps: Dependencies,
    account_id: UUID,
    notice: Notice,
    lifetime: timedelta = NOTICE_LIFETIME,
    *,
    decoy: bool = False,
) -> None:
    """Put the mail into the outbox in the transaction of what it tells; delivery wakes when that is committed, and
    tries for ``lifetime`` after the notice's time. A ``decoy`` is as much work, and no mail."""
    message_id = uuid4()
    plaintext = json.dumps(notice.payload()).encode()
    payload = seal(deps.keyring, Purpose.OUTBOX, outbox_place(account_id, message_id), plaintext)
    message = outbox.OutboxMessage(
        account_id, message_id, notice.kind, payload, notice.time, notice.time + lifetime, tries=0
    )
    await (outbox.add_decoy if decoy else outbox.add)(tx, message)
    tx.after_commit(deps.wake_delivery)


async def post_undoable(
    tx: Transaction,
    deps: Dependencies,
    account_id: UUID,
    notice: Notice,
    *,
    totp_secret: bytes | None = None,
    **details: Any,
) -> None:
    """Post the notice of a change, with the link that says "this wasn't me".

    ``details`` say what that undoes (domain/not_me.py) and hold no secret; ``totp_secret`` is the authenticator that
    the change took away, sealed as it was, and kept as long as the link works.
    """
    token = await mailed_links.make(
        tx, account_id, LinkPurpose.NOT_ME, notice.time, totp_secret=totp_secret, kind=notice.kind, **details
    )
    await post(tx, deps, account_id, replace(notice, not_me_token=token.text))


def outbox_place(account_id: UUID, message_id: UUID) -> bytes:
    """Where a sealed payload belongs."""
    return account_id.bytes + message_id.bytes
