"""What every change of a password shares, whoever makes it: the new one is judged and hashed, and the old world ends.

password = await chosen(request.new_password, "new_password")     # before any transaction
check_not_about(password, "new_password", account.email, …)       # once the account is known
hashed = await hash_chosen(deps, call, place, password)           # between transactions, in a reserved place
await apply_new_password(tx, deps, call, account, hashed, now)    # under the second factor's lock
"""

import asyncio
from datetime import datetime
from functools import partial
from uuid import UUID

from twofactor_server.crypto.hashing import Place
from twofactor_server.domain.accounts import Account, normalise_password
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import Purpose
from twofactor_server.domain.passwords import check_new_password
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.sessions import end_others
from twofactor_server.flows.shutting_out import void_sign_ins
from twofactor_server.mail.account_notices import PasswordChanged
from twofactor_server.storage import accounts, mailed_links
from twofactor_server.storage.database import Transaction


async def chosen(typed: str, field: str) -> str:
    """The new password in normal form. Malformed: INVALID_FIELD; weak or well known: PASSWORD_REJECTED."""
    password = normalise_password(typed, field)
    await asyncio.to_thread(check_new_password, password, field)
    return password


async def hash_chosen(deps: Dependencies, call: Call, place: Place, password: str) -> str:
    """The PHC string of the new password."""
    return await place.run(partial(deps.hashing.argon2id.hash, password), call.deadline, key="new password")


async def apply_new_password(
    tx: Transaction,
    deps: Dependencies,
    call: Call,
    account: Account,
    password_hash: str,
    now: datetime,
    keep_session: UUID | None = None,
) -> None:
    """Set the password, in the transaction of what changes it.

    ``account`` was read after the second factor was locked, in this transaction. All sessions but ``keep_session`` end
    and their kept replies are erased, open challenges and unused reset links are void, and the owner is told by mail.
    Who changed it and why is for the caller's audit event to tell.
    """
    account_id = account.account_id
    await accounts.set_password(tx, account_id, password_hash, account.password_version)
    await void_sign_ins(tx, account_id, now)
    await end_others(tx, account_id, keep_session, now)
    await mailed_links.void(tx, account_id, Purpose.RESET_PASSWORD, now)
    notice = PasswordChanged(**trail.told(account.email, call, now))
    await trail.post_undoable(tx, deps, account_id, notice)
