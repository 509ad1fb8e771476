"""A right password is hashed anew when Argon2's parameters were raised since it was set."""

import logging
from functools import partial

from twofactor_server.crypto.hashing import Place
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call, DeadlinePassed
from twofactor_server.domain.refusals import Refusal
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.storage import accounts, second_factors
from twofactor_server.storage.database import Transaction

logger = logging.getLogger(__name__)


async def rehash(deps: Dependencies, call: Call, place: Place, account: Account, password: str) -> None:
    """Replace the account's hash, if it is outdated, by one of the same, right password.

    No sign-in fails for it: where it cannot be done now, the next sign-in does it. So it is no step of the sign-in,
    which goes on whatever becomes of it. A password that was changed since ``account`` was read stays changed.
    """
    if account.password_hash is None or not deps.hashing.argon2id.outdated(account.password_hash):
        return
    try:
        fresh = await place.run(partial(deps.hashing.argon2id.hash, password), call.deadline, key="rehash")
        await deps.database.transact(partial(_replace, account=account, fresh=fresh))
    except (Refusal, DeadlinePassed):
        logger.info("a password's hash stays outdated until the next sign-in: call=%s", call.call_id)


async def _replace(tx: Transaction, account: Account, fresh: str) -> None:
    await second_factors.lock(tx, account.account_id)
    await accounts.rehash_password(tx, account, fresh)
