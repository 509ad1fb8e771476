"""ConfirmFirstFactor: the owner lifts the suspension of the first factor by the mailed link, with a new password."""

from functools import partial

from twofactor_server.crypto.tokens import Token, TokenKind, parse_token
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import MailedLink, Purpose
from twofactor_server.domain.passwords import check_not_about
from twofactor_server.domain.refusals import Reason, Refusal, invalid
from twofactor_server.flows import mailed_links as links
from twofactor_server.flows import suspicion, trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.password_change import apply_new_password, chosen, hash_chosen
from twofactor_server.flows.shutting_out import shut_out
from twofactor_server.flows.steps import Step
from twofactor_server.storage import accounts, mailed_links
from twofactor_server.storage.database import Transaction


class FirstFactorConfirmation:
    """ConfirmFirstFactor."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def confirm(self, call: Call, link_token: str, new_password: str) -> None:
        """Change the password, if there is one, and let sign-ins begin again. The same call once more is OK."""
        token = parse_token(TokenKind.LINK, link_token, "token")
        if new_password:
            new_password = await chosen(new_password, "new_password")
        with self._deps.hashing.place() as place:
            # Nothing is hashed for a link that is none, nor for a call that was answered before.
            link = await self._deps.database.read(partial(self._look, token=token, new_password=new_password))
            password_hash = None
            if new_password and link.use_time is None:
                password_hash = await hash_chosen(self._deps, call, place, new_password)
        work = partial(self._confirm, call=call, token=token, new_password=new_password, password_hash=password_hash)
        await self._deps.transact(call, Step.FIRST_FACTOR_CONFIRMED, work)

    async def _look(self, tx: Transaction, token: Token, new_password: str) -> MailedLink:
        """The link as it is now, if it is worth going on; what is decided is looked at again under the lock."""
        link = await mailed_links.find(tx, token.account_id, token.digest)
        account = await accounts.by_id(tx, token.account_id) if link else None
        if link is None or account is None:
            raise Refusal(Reason.LINK_INVALID)
        link.check_live(Purpose.CONFIRM_SIGN_IN, self._deps.now())
        if link.use_time is None:
            _check_wanted(account, new_password)
            if new_password:
                check_not_about(new_password, "new_password", account.email, self._deps.product_name)
        return link

    async def _confirm(
        self, tx: Transaction, call: Call, token: Token, new_password: str, password_hash: str | None
    ) -> None:
        now = self._deps.now()
        followed = await links.follow(tx, token, Purpose.CONFIRM_SIGN_IN, new_password, now)
        account = await accounts.by_id(tx, token.account_id)
        if account is None:
            raise Refusal(Reason.LINK_INVALID)
        if followed.again:
            return
        _check_wanted(account, new_password)
        await links.use_up(tx, followed, now)
        if password_hash is not None:
            await apply_new_password(tx, self._deps, call, account, password_hash, now)
        else:
            await shut_out(tx, account.account_id, now)
        await suspicion.lift(tx, account.account_id, now)
        await trail.record(tx, call, account.account_id, "confirm_first_factor", trail.SUCCESS, now)


def _check_wanted(account: Account, new_password: str) -> None:
    """Whoever knew the password may still: it has to change. Where there is none, none is made on the way."""
    if account.password_hash is not None and not new_password:
        raise invalid("new_password", "required for an account that has a password")
    if account.password_hash is None and new_password:
        raise invalid("new_password", "not for an account that has no password")
