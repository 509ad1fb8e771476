"""Ending access to an account: sessions, sign-ins in progress, and authenticator setups."""

from uuid import UUID

from twofactor_server.flows.unit_of_work import UnitOfWork
from twofactor_server.mail.notices import SignInCode
from twofactor_server.storage import authenticator_setups, challenges, outbox, replies, sessions


async def revoke_all_access(uow: UnitOfWork, account_id: UUID) -> None:
    """End all sessions, sign-ins in progress and setups. The second factor must be locked."""
    await end_sessions(uow, account_id)
    await void_sign_ins(uow, account_id)
    await authenticator_setups.end_all(uow.tx, account_id, uow.now)


async def end_sessions(uow: UnitOfWork, account_id: UUID, *, keep: UUID | None = None) -> int:
    """End every session but ``keep``, and erase the replies of those; how many it ended."""
    ended = await sessions.end_others(uow.tx, account_id, keep, uow.now)
    await replies.erase_for_sessions(uow.tx, account_id, ended)
    return len(ended)


async def void_sign_ins(uow: UnitOfWork, account_id: UUID) -> None:
    """Void open challenges, and do not send their codes any more."""
    await challenges.void_open(uow.tx, account_id, uow.now)
    await outbox.erase_unsent(uow.tx, account_id, SignInCode.kind)
