"""Following a mailed link, once."""

import hmac
from dataclasses import dataclass

from twofactor_server.crypto.sealing import content_fingerprint
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.mailed_links import LinkPurpose, MailedLink
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import SecondFactor
from twofactor_server.flows.unit_of_work import Dependencies, UnitOfWork
from twofactor_server.storage import accounts, mailed_links, second_factors


@dataclass(frozen=True, slots=True)
class PeekedLink:
    """A live link and its account, read without a lock. ``used``: before, for the same content."""

    link: MailedLink
    account: Account
    used: bool


@dataclass(frozen=True, slots=True)
class FollowedLink:
    """A live link, its account and its second factor, read under the lock. ``used``: before, for the same content."""

    link: MailedLink
    account: Account
    factor: SecondFactor
    fingerprint: bytes
    used: bool


async def peek_link(deps: Dependencies, token: Token, purpose: LinkPurpose, content: str) -> PeekedLink:
    """Look at the link before anything is hashed for it. ``follow_link`` then checks it again under the lock.

    ``content`` is what the person chose: a new password, or "". A link that is unknown, for another purpose, expired,
    void, or used for other content: LINK_INVALID.
    """
    async with deps.database.reading() as tx:
        link = await mailed_links.find(tx, token.account_id, token.digest)
        account = await accounts.find(tx, token.account_id) if link else None
    if link is None or account is None:
        raise Refusal(Reason.LINK_INVALID)
    link.check_live(purpose, deps.now())
    return PeekedLink(link, account, _is_used(link, _fingerprint(token, purpose, content)))


async def follow_link(uow: UnitOfWork, token: Token, purpose: LinkPurpose, content: str) -> FollowedLink:
    """Lock the account, then read the link. LINK_INVALID as for ``peek_link``."""
    factor = await second_factors.lock(uow.tx, token.account_id)
    link = await mailed_links.find(uow.tx, token.account_id, token.digest) if factor else None
    account = await accounts.find(uow.tx, token.account_id) if link else None
    if factor is None or link is None or account is None:
        raise Refusal(Reason.LINK_INVALID)
    link.check_live(purpose, uow.now)
    fingerprint = _fingerprint(token, purpose, content)
    return FollowedLink(link, account, factor, fingerprint, _is_used(link, fingerprint))


async def mark_link_used(uow: UnitOfWork, followed: FollowedLink) -> None:
    """Use up the link, in the transaction of what it does. Used or void meanwhile: LINK_INVALID."""
    if not await mailed_links.mark_used(uow.tx, followed.link, followed.fingerprint, uow.now):
        raise Refusal(Reason.LINK_INVALID)


def _fingerprint(token: Token, purpose: LinkPurpose, content: str) -> bytes:
    return content_fingerprint(token, f"{purpose}\0{content}".encode())


def _is_used(link: MailedLink, fingerprint: bytes) -> bool:
    if link.use_fingerprint is None:
        return False
    if not hmac.compare_digest(link.use_fingerprint, fingerprint):
        raise Refusal(Reason.LINK_INVALID)
    return True
