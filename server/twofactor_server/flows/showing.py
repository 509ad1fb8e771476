"""A backup code shown to a signed-in owner: at setup and at regeneration, once, and again only to the same call."""

from dataclasses import dataclass
from datetime import datetime

from twofactor_server.crypto.hashing import Replacement
from twofactor_server.domain.calls import Call
from twofactor_server.flows import completion, trail
from twofactor_server.flows.completion import IssuedBackupCode
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.logical_calls import LogicalCall
from twofactor_server.flows.ownership import Owner
from twofactor_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class ShownBackupCode:
    """A backup code on its one way to the owner. ``replayed``: this answer was given before."""

    backup_code: IssuedBackupCode
    replayed: bool


async def show(
    tx: Transaction,
    deps: Dependencies,
    logical: LogicalCall,
    owner: Owner,
    replacement: Replacement,
    generation: int,
    now: datetime,
) -> ShownBackupCode:
    """The answer with the new code, kept sealed for the session that asked."""
    issued = completion.issue(replacement.code, generation)
    await logical.keep(
        tx,
        deps,
        scope_id=owner.session.session_id,
        session_id=owner.session.session_id,
        generation=generation,
        content={"code": issued.code, "generation": issued.generation},
        now=now,
    )
    return ShownBackupCode(issued, replayed=False)


async def shown_before(
    tx: Transaction, deps: Dependencies, call: Call, logical: LogicalCall, owner: Owner, now: datetime
) -> ShownBackupCode | None:
    """The answer that this logical call was given before; None if it was not. Looked up before every other check."""
    content = await logical.answered(tx, deps, owner.session.session_id, now)
    if content is None:
        return None
    await trail.record(
        tx, call, owner.session.account_id, "replay", trail.SUCCESS, now, session=owner.session, method=logical.method
    )
    return ShownBackupCode(IssuedBackupCode(content["code"], content["generation"]), replayed=True)
