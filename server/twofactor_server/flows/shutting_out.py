"""Everybody out: what ReportNotMe, CloseAccount and a new password begin with."""

from datetime import datetime
from uuid import UUID

from twofactor_server.flows.sessions import end_others
from twofactor_server.mail.notices import SignInCode
from twofactor_server.storage import authenticator_setups, challenges, outbox
from twofactor_server.storage.database import Transaction


async def shut_out(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """Sessions end, replies are erased, what is under way is void: sign-ins, setups. Locked and read before."""
    await end_others(tx, account_id, None, now)
    await void_sign_ins(tx, account_id, now)
    await authenticator_setups.end_all(tx, account_id, now)


async def void_sign_ins(tx: Transaction, account_id: UUID, now: datetime) -> None:
    """Open challenges are void, and their codes are not mailed any more."""
    await challenges.void_open(tx, account_id, now)
    await outbox.erase_waiting(tx, account_id, SignInCode.kind)
