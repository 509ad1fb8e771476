"""ChangeEmail and ConfirmEmailChange: the new address counts once it is verified; the old one can revert the change.

Neither the answer, nor its time, nor the budget shows whether the new address has an account: a link is made in either
case, and only the e-mail differs.
"""

from datetime import datetime

from twofactor_server.crypto.tokens import Token
from twofactor_server.domain import limits
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import LinkPurpose
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal, invalid, unwrap
from twofactor_server.domain.revert import email_change
from twofactor_server.flows.access_revocation import void_sign_ins
from twofactor_server.flows.mailed_links import follow_link, mark_link_used
from twofactor_server.flows.reauthentication import (
    charge_reauthentication,
    confirm_reauthentication,
    verify_reauthentication,
)
from twofactor_server.flows.session_lock import LockedSession, lock_session
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.mail.notices import ConfirmEmail, EmailChanged, EmailInUse, Notice
from twofactor_server.storage import account_emails, accounts, mailed_links

_SENT_TO_OLD_ADDRESS = (LinkPurpose.CONFIRM_EMAIL, LinkPurpose.RESET_PASSWORD, LinkPurpose.UNLOCK)
"""Void once the address has changed. The links of notices stay valid: the old address reverts the change with one."""


class EmailChange:
    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def start(self, call: Call, token: Token, given: Reauthentication, email: str) -> datetime:
        """Mail a link to the new address, which voids the one before. Returns when it expires."""
        with self._deps.hashing.reserve() as slot:
            async with self._deps.unit_of_work(call, TransactionName.EMAIL_CHANGE_CHARGED) as uow:
                locked = await lock_session(uow, token)
                outcome = await charge_reauthentication(uow, token, locked, given)
            verified = await verify_reauthentication(self._deps, call, unwrap(outcome), slot)
        async with self._deps.unit_of_work(call, TransactionName.EMAIL_CHANGE_STARTED) as uow:
            locked = await lock_session(uow, token)
            await confirm_reauthentication(uow, locked, verified)
            return await self._send_link(uow, locked, email, verified.password_version)

    async def confirm(self, call: Call, token: Token) -> Account:
        """Make the new address the account's. Following the link again has no further effect."""
        async with self._deps.unit_of_work(call, TransactionName.EMAIL_CHANGED) as uow:
            followed = await follow_link(uow, token, LinkPurpose.CONFIRM_EMAIL, "")
            account = followed.account
            if followed.used:
                return account
            if account.password_version != followed.link.details["password_version"]:
                raise Refusal(Reason.LINK_INVALID)
            await mark_link_used(uow, followed)
            await self._change(uow, account, followed.link.details["email"])
            return await accounts.find(uow.tx, token.account_id) or account

    async def _send_link(self, uow: UnitOfWork, locked: LockedSession, email: str, password_version: int) -> datetime:
        account_id, purpose = locked.session.account_id, LinkPurpose.CONFIRM_EMAIL
        if email == locked.session.email:
            raise invalid("another address than the account's")
        budget = limits.EMAIL_CHANGE_LINKS
        sent = await mailed_links.create_times_since(uow.tx, account_id, purpose, uow.now - budget.span)
        allowed = limits.next_allowed(uow.now, (budget, sent))
        if allowed > uow.now:
            raise Refusal(Reason.DELIVERY_THROTTLED, retry_after=allowed - uow.now)
        await mailed_links.void_unused(uow.tx, account_id, purpose, uow.now)
        # Bound to the password: an owner who changes it to shut a stranger out also ends what the stranger began.
        link = await uow.create_link(account_id, purpose, email=email, password_version=password_version)
        taken = await account_emails.find_owner(uow.tx, email) not in (None, account_id)
        # For an address that has an account, the link is made but sent to no one.
        context = uow.notice_context(email)
        notice: Notice = EmailInUse(**context) if taken else ConfirmEmail(**context, token=link.text)
        await uow.notify(account_id, notice, purpose.lifetime)
        await uow.audit(account_id, "change_email", session=locked.session)
        return uow.now + purpose.lifetime

    async def _change(self, uow: UnitOfWork, account: Account, email: str) -> None:
        account_id = account.account_id
        if not await accounts.claim_email(uow.tx, email, account_id):
            raise Refusal(Reason.LINK_INVALID)
        reserved_until = uow.now + LinkPurpose.UNDO.lifetime
        await account_emails.change_address(
            uow.tx, account_id, account.email, email, reserved_until=reserved_until, now=uow.now
        )
        # What was sent to the old address works no more, and what is still to be sent there is not sent.
        await void_sign_ins(uow, account_id)
        for purpose in _SENT_TO_OLD_ADDRESS:
            await mailed_links.void_unused(uow.tx, account_id, purpose, uow.now)
        await uow.audit(account_id, "confirm_email_change")
        to_old = EmailChanged(**uow.notice_context(account.email), former=True)
        await uow.notify_with_undo_link(account_id, to_old, **email_change(account.email))
        await uow.notify(account_id, EmailChanged(**uow.notice_context(email), former=False))
