"""Housekeeping: every minute, erase what has expired and delete what expired long ago."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from twofactor_server.domain.refusals import Refusal
from twofactor_server.storage import account_emails, housekeeping, outbox
from twofactor_server.storage.database import Database

logger = logging.getLogger(__name__)

INTERVAL = 60.0
"""Seconds."""

_TASKS = (
    housekeeping.erase_expired,
    outbox.erase_expired,
    account_emails.delete_expired_reservations,
    housekeeping.purge,
)


async def run(database: Database, now: Callable[[], datetime]) -> None:
    """Run until cancelled. Several servers may do so at once: every change is safe to repeat."""
    while True:
        for task in _TASKS:
            try:
                async with database.transaction() as tx:
                    await task(tx, now())
            except Refusal as refusal:
                logger.warning("Housekeeping failed and will be tried again: %s", refusal.reason)
            except Exception:
                logger.exception("Housekeeping failed.")
        await asyncio.sleep(INTERVAL)
