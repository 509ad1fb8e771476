"""SetPassword and ChangePassword, and what every change of a password shares:

    await check_new_password(password)                                   # before any transaction
    check_context_specific(password, account.email, product_name)        # once the account is known
    new_hash = await hash_new_password(deps, call, slot, password)       # between transactions
    await apply_new_password(uow, account, new_hash)                     # under the second factor's lock

No password is hashed while a transaction is open.
"""

import asyncio
from functools import partial
from uuid import UUID

from twofactor_server.crypto.hashing import Slot
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import LinkPurpose
from twofactor_server.domain.passwords import check_context_specific, check_strength
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal, unwrap
from twofactor_server.flows.access_revocation import end_sessions, void_sign_ins
from twofactor_server.flows.idempotency import IdempotentRequest, find_session_reply, store_session_reply
from twofactor_server.flows.reauthentication import (
    charge_reauthentication,
    confirm_reauthentication,
    verify_reauthentication,
)
from twofactor_server.flows.session_lock import LockedSession, lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.mail.notices import PasswordChanged
from twofactor_server.storage import accounts, mailed_links

_SET_PASSWORD = "SetPassword"  # noqa: S105 - a method's name
_ACTIONS = {_SET_PASSWORD: "set_password", "ChangePassword": "change_password"}


class Passwords:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def set(
        self, call: Call, token: Token, given: Reauthentication, password: str, request_id: UUID | None
    ) -> None:
        """Give a password to an account that has none. An account that has one: CONFLICT."""
        await self._change(call, IdempotentRequest(_SET_PASSWORD, token, request_id, password), given)

    async def change(
        self, call: Call, token: Token, current_password: str, password: str, request_id: UUID | None
    ) -> None:
        """Replace the password. An account without one: REAUTHENTICATION_FAILED, as for a wrong password."""
        given = Reauthentication(password=current_password)
        await self._change(call, IdempotentRequest("ChangePassword", token, request_id, password), given)

    async def _change(self, call: Call, request: IdempotentRequest, given: Reauthentication) -> None:
        token, password = request.token, request.content
        await check_new_password(password)
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.PASSWORD_CHARGED) as uow:
                locked = await lock_session(uow, token)
                if await find_session_reply(uow, request, locked.session) is not None:
                    return
                check_context_specific(password, locked.session.email, self._deps.product_name)
                given.check_well_formed()
                await self._find_account(uow, request, locked)
                outcome = await charge_reauthentication(uow, token, locked, given)
            verified = await verify_reauthentication(self._deps, call, unwrap(outcome), slot)
            new_hash = await hash_new_password(self._deps, call, slot, password)
        async with self._deps.unit_of_work(call, TransactionName.PASSWORD_CHANGED) as uow:
            locked = await lock_session(uow, token)
            if await find_session_reply(uow, request, locked.session) is not None:
                return
            account = await self._find_account(uow, request, locked)
            await confirm_reauthentication(uow, locked, verified)
            session = locked.session
            await apply_new_password(uow, account, new_hash, keep_session=session.session_id)
            await store_session_reply(uow, request, session, {})
            await uow.audit(account.account_id, _ACTIONS[request.method], factor="password", session=session)

    async def _find_account(self, uow: UnitOfWork, request: IdempotentRequest, locked: LockedSession) -> Account:
        """The account, read under the lock, if the method applies to it."""
        account = await accounts.find(uow.tx, locked.factor.account_id)
        if account is None:
            raise Refusal(Reason.SESSION_ENDED)
        if request.method == _SET_PASSWORD and account.password_hash is not None:
            raise Refusal(Reason.CONFLICT)
        return account


async def check_new_password(password: str) -> None:
    """Refuse a weak or common password: PASSWORD_REJECTED."""
    await asyncio.to_thread(check_strength, password)


async def hash_new_password(deps: Dependencies, call: Call, slot: Slot, password: str) -> str:
    """The password's PHC string."""
    return await slot.run(partial(deps.hashing.argon2id.hash, password), call.deadline, key="new password")


async def apply_new_password(
    uow: UnitOfWork, account: Account, password_hash: str, *, keep_session: UUID | None = None
) -> None:
    """Set the password of an account that was read in this transaction, under the lock of its second factor.

    All sessions but ``keep_session`` end, open challenges and unused reset links are void, and the owner is notified.
    The caller writes the audit event.
    """
    account_id = account.account_id
    await accounts.set_password(uow.tx, account_id, password_hash, account.password_version)
    await void_sign_ins(uow, account_id)
    await end_sessions(uow, account_id, keep=keep_session)
    await mailed_links.void_unused(uow.tx, account_id, LinkPurpose.RESET_PASSWORD, uow.now)
    await uow.notify_with_undo_link(account_id, PasswordChanged(**uow.notice_context(account.email)))
