"""Mail delivery: takes due e-mails from the outbox under a lease, sends them, and retries what failed."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from twofactor_server.crypto.keyring import KeyPurpose, Keyring
from twofactor_server.crypto.sealing import UnknownKeyError, UnsealError, unseal
from twofactor_server.domain.refusals import Refusal
from twofactor_server.flows.unit_of_work import outbox_associated_data
from twofactor_server.mail.messages import Branding, render
from twofactor_server.mail.registry import KINDS, notice_from
from twofactor_server.mail.transports import PermanentDeliveryError, TemporaryDeliveryError, Transport
from twofactor_server.storage import outbox
from twofactor_server.storage.database import Database
from twofactor_server.storage.outbox import OutboxMessage

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
BATCH_SIZE = 10
POLL_INTERVAL = 0.5
"""Seconds between looking for e-mails that another server left. A commit of this process wakes delivery at once."""

_FIRST_RETRY = timedelta(seconds=1)
_LONGEST_RETRY = timedelta(minutes=5)
_HAND_OVER_DELAY = timedelta(seconds=3)


@dataclass(frozen=True)
class MailDelivery:
    """The delivery task of one server process. Any number of processes share one outbox."""

    database: Database
    keyring: Keyring
    transport: Transport
    branding: Branding
    now: Callable[[], datetime]
    wake: asyncio.Event

    async def run(self) -> None:
        """Deliver until cancelled. Waits for a database that cannot be reached."""
        while True:
            self.wake.clear()
            if not await self._deliver_safely():
                try:
                    async with asyncio.timeout(POLL_INTERVAL):
                        await self.wake.wait()
                except TimeoutError:
                    continue

    async def deliver_due(self) -> bool:
        """Deliver one batch; whether there was anything to deliver."""
        async with self.database.transaction() as tx:
            messages = await outbox.lease(tx, self.now(), LEASE, BATCH_SIZE)
        await asyncio.gather(*(self._deliver(message) for message in messages))
        return bool(messages)

    async def _deliver_safely(self) -> bool:
        try:
            return await self.deliver_due()
        except Refusal as refusal:
            logger.warning("The outbox cannot be read: %s", refusal.reason)
        except Exception:
            # One message must not stop the others. What was leased is due again when its lease ends.
            logger.exception("A delivery failed.")
        return False

    async def _deliver(self, message: OutboxMessage) -> None:
        now = self.now()
        if message.kind not in KINDS:
            await self._hand_over(message, "a newer server")
        elif now >= message.expire_time:
            await self._mark_done(message, None)
        else:
            await self._try_to_send(message, now)

    async def _try_to_send(self, message: OutboxMessage, now: datetime) -> None:
        try:
            await self._send(message)
        except TemporaryDeliveryError as error:
            logger.warning("A %s e-mail will be tried again: %s", message.kind, error)
            delay = min(_FIRST_RETRY * (1 << min(message.tries - 1, 10)), _LONGEST_RETRY)
            await self._reschedule(message, now + delay)
        except UnknownKeyError:
            await self._hand_over(message, "a server that has its key")
        except (PermanentDeliveryError, UnsealError, ValueError) as error:
            logger.error("A %s e-mail was given up: %s %s", message.kind, type(error).__name__, error)
            await self._mark_done(message, None)
        except Exception:
            # It stays in the outbox and is due again when its lease ends.
            logger.exception("A %s e-mail could not be made.", message.kind)
        else:
            await self._mark_done(message, now)

    async def _send(self, message: OutboxMessage) -> None:
        associated_data = outbox_associated_data(message.account_id, message.message_id)
        payload = unseal(self.keyring, KeyPurpose.OUTBOX, associated_data, message.payload)
        mail = await asyncio.to_thread(render, notice_from(json.loads(payload)), self.branding, message.message_id)
        await self.transport.send(mail, message.message_id, first_attempt=message.tries == 1)

    async def _hand_over(self, message: OutboxMessage, to: str) -> None:
        """End the lease soon: during a rolling upgrade another server may deliver the message at once."""
        logger.warning("A %s e-mail is left to %s.", message.kind, to)
        await self._reschedule(message, self.now() + _HAND_OVER_DELAY)

    async def _reschedule(self, message: OutboxMessage, due: datetime) -> None:
        async with self.database.transaction() as tx:
            await outbox.reschedule(tx, message, due)

    async def _mark_done(self, message: OutboxMessage, sent: datetime | None) -> None:
        async with self.database.transaction() as tx:
            await outbox.mark_done(tx, message, sent)
