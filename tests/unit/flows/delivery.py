"""Delivery of a harness's e-mails to servers that the tests control."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from typing import Any
from uuid import UUID

from tests.unit.flows.harness import FlowHarness, Owner
from tests.unit.mail.letters import parsed
from tests.unit.mail.servers import Inbox
from twofactor_server.flows.background.mail_delivery import MailDelivery
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import NOTICE_LIFETIME
from twofactor_server.mail.messages import Branding
from twofactor_server.mail.notices import AuthenticatorOff
from twofactor_server.mail.smtp import SmtpTransport
from twofactor_server.mail.transports import Transport

BRAND = Branding("Twofactor", "https://my.example.test", "security@example.test")


def delivery(harness: FlowHarness, transport: Transport | int) -> MailDelivery:
    """The delivery task of one server process. A number is the port of an SMTP server on the loopback address."""
    if isinstance(transport, int):
        transport = SmtpTransport(f"smtp://127.0.0.1:{transport}", send_seconds=5.0)
    return MailDelivery(harness.database, harness.keyring, transport, BRAND, lambda: harness.now, harness.wake)


async def account_with_notice(harness: FlowHarness, lifetime: timedelta = NOTICE_LIFETIME) -> Owner:
    """An account with one notice in the outbox."""
    owner = await harness.account()
    async with harness.deps.unit_of_work(harness.call(), TransactionName.AUTHENTICATOR_OFF) as uow:
        await uow.notify(owner.account_id, AuthenticatorOff(**uow.notice_context(owner.email)), lifetime)
    return owner


async def outbox_state(harness: FlowHarness, owner: Owner) -> tuple[bool, Any, Any, int]:
    """Of the owner's one e-mail: whether it is erased, when it was sent, when it is due, how often it was tried."""
    statement = "SELECT payload IS NULL, send_time, due_time, tries FROM outbox WHERE account_id = :p_id"
    ((erased, sent, due, tries),) = await harness.query(statement, id=owner.account_id)
    return erased, sent, due, tries


def received(inbox: Inbox) -> Sequence[EmailMessage]:
    """The e-mails that arrived."""
    contents = [envelope.content for envelope in inbox.envelopes]
    return [parsed(content) for content in contents if isinstance(content, bytes)]


@dataclass
class CrashingTransport:
    """Sends the e-mail; its server dies before it can record that it did."""

    transport: Transport
    sent: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: EmailMessage, message_id: UUID, *, first_attempt: bool = False) -> None:
        await self.transport.send(message, message_id, first_attempt=first_attempt)
        self.sent.set()
        await asyncio.Event().wait()
