"""Delivery of a house's mails, to servers that the tests control."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any
from uuid import UUID

from tests.flows.house import House, Owner
from tests.mail.letters import parsed
from tests.mail.servers import Inbox
from twofactor_server.flows import trail
from twofactor_server.flows.delivery import Delivery
from twofactor_server.mail.messages import Branding
from twofactor_server.mail.notices import AuthenticatorOff
from twofactor_server.mail.smtp import SmtpTransport
from twofactor_server.mail.transports import Transport

BRAND = Branding("Twofactor", "https://my.example.test", "security@example.test")


def delivery(house: House, transport: Transport | int) -> Delivery:
    """The delivery task of one server process; a number is the port of an SMTP server on the loopback."""
    if isinstance(transport, int):
        transport = SmtpTransport(f"smtp://127.0.0.1:{transport}", send_seconds=5.0)
    return Delivery(house.database, house.keyring, transport, BRAND, lambda: house.now, house.wanted)


async def noticed(house: House, lifetime: timedelta = trail.NOTICE_LIFETIME) -> Owner:
    """An owner to whom one notice is to be mailed."""
    owner = await house.owner()
    notice = AuthenticatorOff(recipient=owner.email, time=house.now, ip_address="192.0.2.10", user_agent="Firefox")
    post = partial(trail.post, deps=house.deps, account_id=owner.account_id, notice=notice, lifetime=lifetime)
    await house.database.transact(post)
    return owner


async def state(house: House, owner: Owner) -> tuple[bool, Any, Any, int]:
    """Of the owner's one mail: whether it is erased, when it was sent, when it is due, how often it was tried."""
    statement = "SELECT payload IS NULL, send_time, due_time, tries FROM outbox WHERE account_id = :id"
    ((erased, sent, due, tries),) = await house.ask(statement, id=owner.account_id)
    return erased, sent, due, tries


def mails(inbox: Inbox) -> Sequence[EmailMessage]:
    """What arrived."""
    contents = [envelope.content for envelope in inbox.envelopes]
    return [parsed(content) for content in contents if isinstance(content, bytes)]


@dataclass
class DyingBeforeItSaysSo:
    """A way out that hands the mail over, and whose server dies before it can note that it did."""

    transport: Transport
    handed_over: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, message: EmailMessage, message_id: UUID, *, first_attempt: bool = False) -> None:
        await self.transport.send(message, message_id, first_attempt=first_attempt)
        self.handed_over.set()
        await asyncio.Event().wait()
