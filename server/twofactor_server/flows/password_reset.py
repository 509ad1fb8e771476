"""StartPasswordReset and CompletePasswordReset: a new password for whoever reads the account's mail."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from twofactor_server.crypto.tokens import Token, TokenKind, new_token, parse_token
from twofactor_server.domain.accounts import Account, normalise_email
from twofactor_server.domain.calls import Call
from twofactor_server.domain.first_factor_waits import subject_of
from twofactor_server.domain.mailed_links import Purpose
from twofactor_server.domain.passwords import check_not_about
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import Counter, SecondFactor
from twofactor_server.flows import mailed_links as links
from twofactor_server.flows import suspicion, trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.mailed_links import Followed
from twofactor_server.flows.password_change import apply_new_password, chosen, hash_chosen
from twofactor_server.flows.steps import Step
from twofactor_server.mail.account_notices import PasswordReset
from twofactor_server.storage import accounts, first_factor_failures, identities, mailed_links, second_factors
from twofactor_server.storage.audit import NOBODY
from twofactor_server.storage.database import Transaction

BUDGET = 3
"""Links mailed per account within ``SPAN``. More are asked for in vain, and nobody is told."""

SPAN = timedelta(hours=1)
_FIELD = "new_password"


class PasswordResets:
    """StartPasswordReset and CompletePasswordReset."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def start(self, call: Call, email: str) -> None:
        """Mail a link, which makes the ones before it void. No account, or none that is to be mailed now: as many
        statements, as much work, the same answer."""
        email = normalise_email(email, "email")
        account = await self._deps.database.read(partial(accounts.by_email, email=email))
        start = partial(self._start, call=call, email=email, account=account)
        await self._deps.transact(call, Step.PASSWORD_RESET_STARTED, start)

    async def complete(self, call: Call, reset_token: str, new_password: str) -> None:
        """Set the password by the link. The same call again is OK as long as the link lasts."""
        token = parse_token(TokenKind.LINK, reset_token, "reset_token")
        password = await chosen(new_password, _FIELD)
        with self._deps.hashing.place() as place:
            if await self._deps.database.read(partial(self._done, token=token, password=password)):
                return
            hashed = await hash_chosen(self._deps, call, place, password)
        work = partial(self._complete, call=call, token=token, password=password, password_hash=hashed)
        await self._deps.transact(call, Step.PASSWORD_RESET, work)

    async def _start(self, tx: Transaction, call: Call, email: str, account: Account | None) -> None:
        now = self._deps.now()
        account_id = account.account_id if account else uuid4()
        await second_factors.lock(tx, account_id)
        current = await accounts.by_id(tx, account_id)
        sent = await mailed_links.count_since(tx, account_id, Purpose.RESET_PASSWORD, now - SPAN)
        # Read again under the lock: the address may have been changed, the account closed.
        known = current is not None and current.email == email
        wanted = known and sent < BUDGET
        await mailed_links.void(tx, account_id if wanted else uuid4(), Purpose.RESET_PASSWORD, now)
        if wanted:
            token = await links.make(tx, account_id, Purpose.RESET_PASSWORD, now)
        else:
            token = new_token(TokenKind.LINK, account_id)
            await mailed_links.pretend(tx)
        notice = PasswordReset(**trail.told(email, call, now), token=token.text)
        await trail.post(tx, self._deps, account_id, notice, PasswordReset.purpose.lifetime, decoy=not wanted)
        outcome = trail.SUCCESS if wanted else Reason.DELIVERY_THROTTLED if known else Reason.ACCOUNT_NOT_FOUND
        await trail.record(tx, call, account_id if known else NOBODY, "start_password_reset", outcome, now)

    async def _done(self, tx: Transaction, token: Token, password: str) -> bool:
        """Whether this very call was made before. Refuses what need not be hashed."""
        now = self._deps.now()
        followed = await links.follow(tx, token, Purpose.RESET_PASSWORD, password, now)
        account = await _read(tx, followed)
        check_not_about(password, _FIELD, account.email, self._deps.product_name)
        return followed.again

    async def _complete(self, tx: Transaction, call: Call, token: Token, password: str, password_hash: str) -> None:
        now = self._deps.now()
        followed = await links.follow(tx, token, Purpose.RESET_PASSWORD, password, now)
        if followed.again:
            return
        account = await _read(tx, followed)
        await links.use_up(tx, followed, now)
        await apply_new_password(tx, self._deps, call, account, password_hash, now)
        await _welcome_back(tx, account, followed.factor, now)
        await trail.record(tx, call, account.account_id, "reset_password", trail.SUCCESS, now, factor="password")


async def _read(tx: Transaction, followed: Followed) -> Account:
    account = await accounts.by_id(tx, followed.factor.account_id)
    if account is None:
        raise Refusal(Reason.LINK_INVALID)
    return account


async def _welcome_back(tx: Transaction, account: Account, factor: SecondFactor, now: datetime) -> None:
    """What slowed the owner is lifted, and the address is proved by the link.

    What stays: a disabled authenticator, and how many of its codes in a row were wrong. Otherwise a thief of the
    mailbox could guess on for ever, a few codes with each link.
    """
    account_id = account.account_id
    if account.email_verify_time is None:
        # Nobody had proved the address: whoever made the account, or linked an identity to it, may be a stranger.
        await identities.unlink_all(tx, account_id)
        await accounts.mark_email_verified(tx, account_id, account.email, now)
    await suspicion.lift(tx, account_id, now)
    await second_factors.count_email_codes(tx, account_id, Counter())
    waitless = replace(factor.authenticator, wait_until=None)
    await second_factors.count_authenticator(tx, account_id, waitless, disabled=factor.authenticator_disabled)
    await first_factor_failures.clear(tx, subject_of(account.email))
