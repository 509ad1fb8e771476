"""Delivery: takes due mails from the outbox under a lease, hands them over, and tries again what did not leave."""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from twofactor_server.crypto.keyring import Keyring, Purpose
from twofactor_server.crypto.sealing import UnknownKey, UnsealError, unseal
from twofactor_server.domain.refusals import Refusal
from twofactor_server.flows.trail import outbox_place
from twofactor_server.mail.kinds import KINDS, notice_from
from twofactor_server.mail.messages import Branding, render
from twofactor_server.mail.transports import PermanentDeliveryError, TemporaryDeliveryError, Transport
from twofactor_server.storage import outbox
from twofactor_server.storage.database import Database
from twofactor_server.storage.outbox import OutboxMessage

logger = logging.getLogger(__name__)

LEASE = timedelta(seconds=60)
AT_ONCE = 10
POLL = 0.5
"""Seconds between looks for mails that another server left behind; a commit here wakes delivery at once."""

_FIRST_RETRY = timedelta(seconds=1)
_LONGEST_RETRY = timedelta(minutes=5)
_LEFT = timedelta(seconds=3)


@dataclass(frozen=True)
class Delivery:
    """The delivery task of one server process. Any number of them share one outbox."""

    database: Database
    keyring: Keyring
    transport: Transport
    branding: Branding
    now: Callable[[], datetime]
    wanted: asyncio.Event

    async def run(self) -> None:
        """Deliver until cancelled. An unreachable database is waited for."""
        while True:
            self.wanted.clear()
            try:
                busy = await self.deliver_due()
            except Refusal as refusal:
                logger.warning("the outbox cannot be read: %s", refusal.reason)
                busy = False
            except Exception:
                # One mail's trouble must not stop all mail; what was leased is due again.
                logger.exception("a delivery failed")
                busy = False
            if not busy:
                try:
                    await asyncio.wait_for(self.wanted.wait(), POLL)
                except TimeoutError:
                    continue

    async def deliver_due(self) -> bool:
        """Deliver one batch; whether there was anything to deliver."""
        lease = partial(outbox.lease, now=self.now(), duration=LEASE, most=AT_ONCE)
        messages = await self.database.transact(lease)
        await asyncio.gather(*(self._deliver(message) for message in messages))
        return bool(messages)

    async def _deliver(self, message: OutboxMessage) -> None:
        now = self.now()
        if message.kind not in KINDS:
            await self._leave(message, "a newer server", now)
            return
        if now >= message.expire_time:
            await self.database.transact(partial(outbox.mark_done, message=message, sent=None))
            return
        try:
            await self._hand_over(message)
        except TemporaryDeliveryError as error:
            logger.warning("a %s mail will be tried again: %s", message.kind, error)
            due = now + min(_FIRST_RETRY * (1 << min(message.tries - 1, 10)), _LONGEST_RETRY)
            await self.database.transact(partial(outbox.retry_at, message=message, due=due))
        except UnknownKey:
            await self._leave(message, "a server that has its key", now)
        except (PermanentDeliveryError, UnsealError, ValueError) as error:
            logger.error("a %s mail was given up: %s %s", message.kind, type(error).__name__, error)
            await self.database.transact(partial(outbox.mark_done, message=message, sent=None))
        except Exception:
            # It stays in the outbox and is due again when its lease ends; the others go on.
            logger.exception("a %s mail could not be made", message.kind)
        else:
            await self.database.transact(partial(outbox.mark_done, message=message, sent=now))

    async def _leave(self, message: OutboxMessage, to: str, now: datetime) -> None:
        """Give the lease back soon: while servers are replaced one by one, another may deliver at once."""
        logger.warning("a %s mail is left to %s", message.kind, to)
        await self.database.transact(partial(outbox.retry_at, message=message, due=now + _LEFT))

    async def _hand_over(self, message: OutboxMessage) -> None:
        place = outbox_place(message.account_id, message.message_id)
        notice = notice_from(json.loads(unseal(self.keyring, Purpose.OUTBOX, place, message.payload)))
        mail = await asyncio.to_thread(render, notice, self.branding, message.message_id)
        await self.transport.send(mail, message.message_id, first_attempt=message.tries == 1)
