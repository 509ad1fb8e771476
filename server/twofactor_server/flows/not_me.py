"""ReportNotMe: "this wasn't me". Everybody is shut out, and the change that the notice told of is undone."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from twofactor_server.crypto.hashing import Place, Replacement
from twofactor_server.crypto.tokens import Token, TokenKind, parse_token
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import MailedLink, Purpose
from twofactor_server.domain.not_me import Undone, in_order
from twofactor_server.domain.passwords import check_not_about
from twofactor_server.domain.refusals import Reason, Refusal, invalid
from twofactor_server.flows import mailed_links as links
from twofactor_server.flows import suspicion, trail
from twofactor_server.flows.dependencies import Dependencies
from twofactor_server.flows.password_change import apply_new_password, chosen, hash_chosen
from twofactor_server.flows.shutting_out import shut_out
from twofactor_server.flows.steps import Step
from twofactor_server.flows.undoing import retires_a_code, undo
from twofactor_server.storage import accounts, mailed_links, not_me_links
from twofactor_server.storage.database import Transaction

_STRANGERS_LINKS = (Purpose.CONFIRM_EMAIL, Purpose.RESET_PASSWORD)
"""Void with the report: the stranger may have asked for them, and may have had them mailed elsewhere."""


@dataclass(frozen=True, slots=True)
class _Report:
    """One report under way. What it needs hashed was hashed before its transaction."""

    call: Call
    token: Token
    new_password: str = field(repr=False)
    password_hash: str = field(default="", repr=False)
    untold: Replacement | None = None


class NotMe:
    """ReportNotMe."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def report(self, call: Call, link_token: str, new_password: str) -> list[Undone]:
        """Shut everybody out and undo; what was done. Repeated with the same new password it answers the same."""
        token = parse_token(TokenKind.LINK, link_token, "token")
        if new_password:
            new_password = await chosen(new_password, "new_password")
        with self._deps.hashing.place() as place:
            report = await self._prepared(_Report(call, token, new_password), place)
            return await self._deps.transact(call, Step.NOT_ME_REPORTED, partial(self._act, report=report))

    async def _prepared(self, report: _Report, place: Place) -> _Report:
        """The report with its hashes, which a link that serves for nothing is not worth."""
        token, password = report.token, report.new_password

        async def look(tx: Transaction) -> tuple[MailedLink | None, Account | None]:
            link = await mailed_links.find(tx, token.account_id, token.digest)
            return link, await accounts.by_id(tx, token.account_id)

        link, account = await self._deps.database.read(look)
        if link is None or account is None:
            raise Refusal(Reason.LINK_INVALID)
        link.check_live(Purpose.NOT_ME, self._deps.now())
        if link.use_time is not None:
            return report
        _check(account, password)
        argon2id, deadline = self._deps.hashing.argon2id, report.call.deadline
        hashed, untold = "", None
        if password:
            check_not_about(password, "new_password", account.email, self._deps.product_name)
            hashed = await hash_chosen(self._deps, report.call, place, password)
        if retires_a_code(link):
            untold = await place.run(argon2id.new_backup_code, deadline, key="backup code")
        return _Report(report.call, token, password, hashed, untold)

    async def _act(self, tx: Transaction, report: _Report) -> list[Undone]:
        now = self._deps.now()
        followed = await links.follow(tx, report.token, Purpose.NOT_ME, report.new_password, now)
        link = followed.link
        if followed.again:
            return [Undone(one) for one in link.details["undone"]]
        account = await accounts.by_id(tx, link.account_id)
        if account is None:
            raise Refusal(Reason.LINK_INVALID)
        _check(account, report.new_password)
        await links.use_up(tx, followed, now)
        await shut_out(tx, link.account_id, now)
        for purpose in _STRANGERS_LINKS:
            await mailed_links.void(tx, link.account_id, purpose, now)
        done = [Undone.SESSIONS_ENDED, *await undo(tx, followed, report.untold, now)]
        # Read again: from here on mail goes to the address that was brought back.
        account = await accounts.by_id(tx, link.account_id) or account
        done = in_order([*done, *await self._bar(tx, report, account, now)])
        await not_me_links.note_undone(tx, link, done)
        await trail.record(
            tx, report.call, link.account_id, "report_not_me", trail.SUCCESS, now,
            notice=link.details["kind"], undone=" ".join(done),
        )  # fmt: skip
        return done

    async def _bar(self, tx: Transaction, report: _Report, account: Account, now: datetime) -> list[Undone]:
        """The password that the stranger may know opens nothing any more; what was suspended stays so."""
        has_password = account.password_hash is not None
        if not has_password and account.suspend_time is None:
            return []
        # A link that lifts an earlier suspension may have been mailed to the stranger: there is another one, or none.
        await suspicion.lift(tx, account.account_id, now)
        if report.new_password:
            await apply_new_password(tx, self._deps, report.call, account, report.password_hash, now)
            return [Undone.PASSWORD_CHANGED]
        await suspicion.suspend(tx, self._deps, report.call, account, now)
        return [Undone.FIRST_FACTOR_SUSPENDED] if has_password else []


def _check(account: Account, new_password: str) -> None:
    if new_password and account.password_hash is None:
        raise invalid("new_password", "empty: the account has no password")
