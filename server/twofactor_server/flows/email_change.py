"""ChangeEmail and ConfirmEmailChange: the new address is proved before it counts, the old one can undo.

Whether the new address has an account can be told neither from the answer nor from its time, nor from how often one
may ask: a link is made either way, and only what the mail says differs.
"""

from datetime import datetime
from functools import partial

from twofactor_server.crypto.tokens import Token, TokenKind, parse_token
from twofactor_server.domain import email_change as rules
from twofactor_server.domain.accounts import Account, normalise_email
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import Purpose
from twofactor_server.domain.not_me import email_changed
from twofactor_server.domain.reauthentication import Reauthentication
from twofactor_server.domain.refusals import Reason, Refusal, invalid
from twofactor_server.flows import mailed_links as links
from twofactor_server.flows import trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.ownership import lock_owner
from twofactor_server.flows.reauthentication import Charged, Reauthenticating
from twofactor_server.flows.shutting_out import void_sign_ins
from twofactor_server.flows.steps import Step
from twofactor_server.mail.account_notices import ConfirmEmail, EmailChanged, EmailInUse
from twofactor_server.mail.notices import Notice
from twofactor_server.storage import account_emails, accounts, mailed_links
from twofactor_server.storage.database import Transaction

_MAILED_TO_THE_OLD_ADDRESS = (Purpose.CONFIRM_EMAIL, Purpose.RESET_PASSWORD, Purpose.CONFIRM_SIGN_IN)
"""Void once the address has changed. A notice's link is not: the old address undoes by it."""


class EmailChange:
    """ChangeEmail and ConfirmEmailChange."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._reauthenticating = Reauthenticating(deps)

    async def start(self, call: Call, session_token: str, given: Reauthentication, new_email: str) -> datetime:
        """Mail a link to the new address, which voids the one before; until when it works."""
        token = parse_token(TokenKind.SESSION, session_token, "session_token")
        email = normalise_email(new_email, "new_email")
        given = given.normalised()

        async def charge(tx: Transaction) -> Charged | Refusal:
            now = self._deps.now()
            owner = await lock_owner(tx, token, now, self._deps.session_limits)
            return await self._reauthenticating.charge(tx, call, token, owner, given, now)

        with self._deps.hashing.place() as place:
            charged: Charged = await self._deps.transact(call, Step.EMAIL_CHANGE_CHARGED, charge)
            await self._reauthenticating.judge(call, charged, place)
        start = partial(self._start, call=call, token=token, charged=charged, email=email)
        return await self._deps.transact(call, Step.EMAIL_CHANGE_STARTED, start)

    async def confirm(self, call: Call, link_token: str) -> Account:
        """The new address is the account's; the same link followed again finds that it is."""
        token = parse_token(TokenKind.LINK, link_token, "token")
        return await self._deps.transact(call, Step.EMAIL_CHANGED, partial(self._confirm, call=call, token=token))

    async def _start(self, tx: Transaction, call: Call, token: Token, charged: Charged, email: str) -> datetime:
        now = self._deps.now()
        owner = await lock_owner(tx, token, now, self._deps.session_limits)
        await self._reauthenticating.confirm(tx, owner, charged)
        account_id = owner.session.account_id
        if email == owner.session.email:
            raise invalid("new_email", "another address than the account's")
        sent = await mailed_links.made_since(tx, account_id, Purpose.CONFIRM_EMAIL, now - rules.BUDGET_SPAN)
        rules.check_send(sent, now)
        await mailed_links.void(tx, account_id, Purpose.CONFIRM_EMAIL, now)
        # Whoever changes the password shuts a stranger out: what that one began is over with the old one.
        version = charged.password_version
        link = await links.make(tx, account_id, Purpose.CONFIRM_EMAIL, now, email=email, password_version=version)
        taken = await account_emails.owner(tx, email) not in (None, account_id)
        # The link of an address that somebody has is made and mailed to nobody.
        notice: Notice = (
            EmailInUse(**trail.told(email, call, now))
            if taken
            else ConfirmEmail(**trail.told(email, call, now), token=link.text)
        )
        await trail.post(tx, self._deps, account_id, notice, lifetime=Purpose.CONFIRM_EMAIL.lifetime)
        await trail.record(tx, call, account_id, "change_email", trail.SUCCESS, now, session=owner.session)
        return now + Purpose.CONFIRM_EMAIL.lifetime

    async def _confirm(self, tx: Transaction, call: Call, token: Token) -> Account:
        now = self._deps.now()
        followed = await links.follow(tx, token, Purpose.CONFIRM_EMAIL, "", now)
        account = await accounts.by_id(tx, token.account_id)
        if account is None:
            raise Refusal(Reason.LINK_INVALID)
        if followed.again:
            return account
        if account.password_version != followed.link.details["password_version"]:
            raise Refusal(Reason.LINK_INVALID)
        await links.use_up(tx, followed, now)
        await self._change(tx, call, account, followed.link.details["email"], now)
        changed = await accounts.by_id(tx, token.account_id)
        return changed or account

    async def _change(self, tx: Transaction, call: Call, account: Account, email: str, now: datetime) -> None:
        account_id = account.account_id
        if not await accounts.claim_email(tx, email, account_id):
            raise Refusal(Reason.LINK_INVALID)
        until = now + Purpose.NOT_ME.lifetime
        await account_emails.change(tx, account_id, account.email, email, reserved_until=until, now=now)
        # What was mailed to the old address accepts nothing any more, and what waits to be mailed there stays here.
        await void_sign_ins(tx, account_id, now)
        for purpose in _MAILED_TO_THE_OLD_ADDRESS:
            await mailed_links.void(tx, account_id, purpose, now)
        await trail.record(tx, call, account_id, "confirm_email_change", trail.SUCCESS, now)
        left = EmailChanged(**trail.told(account.email, call, now), former=True)
        await trail.post_undoable(tx, self._deps, account_id, left, **email_changed(account.email))
        taken = EmailChanged(**trail.told(email, call, now), former=False)
        await trail.post(tx, self._deps, account_id, taken)
