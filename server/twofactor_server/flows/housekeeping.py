"""Housekeeping: erases what is over, every minute, and deletes what was over long ago."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from twofactor_server.domain.refusals import Refusal
from twofactor_server.storage import account_emails, housekeeping, outbox
from twofactor_server.storage.database import Database

logger = logging.getLogger(__name__)

INTERVAL = 60.0


async def run(database: Database, now: Callable[[], datetime]) -> None:
    """Keep house until cancelled. Several servers may do it at once: each change is safe to repeat."""
    while True:
        for chore in (housekeeping.erase_expired, outbox.expire, account_emails.expire, housekeeping.purge):
            try:
                await database.transact(partial(chore, now=now()))
            except Refusal as refusal:
                logger.warning("housekeeping will be tried again: %s", refusal.reason)
            except Exception:
                logger.exception("housekeeping failed")
        await asyncio.sleep(INTERVAL)
