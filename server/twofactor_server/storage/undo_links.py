"""The undo links of notices, and how they depend on each other. Under the second factor's lock.

The details of a link name the states of the second factor ``before`` and ``after`` the change that it can revert.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import Integer, select, update
from sqlalchemy.dialects.postgresql import JSONB

from twofactor_server.domain.mailed_links import LinkPurpose, MailedLink
from twofactor_server.storage.database import Transaction
from twofactor_server.storage.schema import mailed_links, spent_backup_codes
from twofactor_server.storage.statements import Statement, param

_t = mailed_links.c
_s = spent_backup_codes.c
_undo_links = (_t.account_id == param("account_id"), _t.purpose == LinkPurpose.UNDO)
_unused = (*_undo_links, _t.use_time.is_(None), _t.void_time.is_(None))
_updated_details = _t.details.concat(param("details", JSONB()))

_UPDATE_DETAILS = Statement(
    update(mailed_links)
    .where(_t.account_id == param("account_id"), _t.link_id == param("link_id"))
    .values(details=_updated_details)
)
_TRANSFER_UNDO = Statement(
    update(mailed_links)
    .where(*_unused, _t.details["before"].astext == param("state"))
    .values(details=_updated_details, totp_secret=param("totp_secret"))
)
_RENAME_STATE = Statement(
    update(mailed_links).where(*_unused, _t.details["after"].astext == param("state")).values(details=_updated_details)
)
_GENERATIONS_SHOWN = Statement(
    select(_t.details["generation"].astext.cast(Integer)).where(
        *_undo_links, _t.details["session_id"].astext == param("session_id")
    )
)
_SPENT_GENERATIONS = Statement(
    select(_s.generation).where(_s.account_id == param("account_id"), _s.generation >= param("since"))
)


async def record_reverted(tx: Transaction, link: MailedLink, reverted: Collection[str]) -> None:
    """Add what the use of the link reverted to its details (as ``undone``), for a repeated call."""
    details: dict[str, Any] = {"undone": list(reverted)}
    await tx.execute(_UPDATE_DETAILS, account_id=link.account_id, link_id=link.link_id, details=details)


async def transfer_undo(tx: Transaction, link: MailedLink) -> None:
    """Let the unused link of the change that followed, if there is one, revert both changes.

    For a link that is used while its change is not in effect any more.
    """
    await tx.execute(
        _TRANSFER_UNDO,
        account_id=link.account_id,
        state=link.details["after"],
        details={name: link.details[name] for name in ("before", "earlier")},
        totp_secret=link.totp_secret,
    )


async def rename_state(tx: Transaction, account_id: UUID, state: str, new_name: str) -> None:
    """Give the state another name in the unused link of the change that led to it: it was restored under that name."""
    await tx.execute(_RENAME_STATE, account_id=account_id, state=state, details={"after": new_name})


async def generations_shown_in(tx: Transaction, account_id: UUID, session_id: str) -> set[int]:
    """The generations of backup codes that were shown in this session, as far as their notices are still stored."""
    rows = await tx.fetch_all(_GENERATIONS_SHOWN, account_id=account_id, session_id=session_id)
    return {generation for (generation,) in rows}


async def spent_generations(tx: Transaction, account_id: UUID, since: int) -> set[int]:
    """The generations from ``since`` on that were used."""
    return {generation for (generation,) in await tx.fetch_all(_SPENT_GENERATIONS, account_id=account_id, since=since)}
