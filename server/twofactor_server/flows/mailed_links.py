"""Links sent by mail: made with the change that mails them, followed once."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from twofactor_server.crypto.sealing import content_fingerprint
from twofactor_server.crypto.tokens import Token, TokenKind, new_token
from twofactor_server.domain.mailed_links import MailedLink, Purpose
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.domain.second_factors import SecondFactor
from twofactor_server.storage import mailed_links, second_factors
from twofactor_server.storage.database import Transaction


@dataclass(frozen=True, slots=True)
class Followed:
    """A link that somebody follows, as it was under the lock. ``again``: it was used before, for the same content."""

    factor: SecondFactor
    link: MailedLink
    fingerprint: bytes
    again: bool


async def make(
    tx: Transaction,
    account_id: UUID,
    purpose: Purpose,
    now: datetime,
    *,
    totp_secret: bytes | None = None,
    **details: Any,
) -> Token:
    """Write a fresh link; its token goes into a sealed mail and nowhere else."""
    token = new_token(TokenKind.LINK, account_id)
    link = MailedLink(
        account_id=account_id,
        link_id=uuid4(),
        purpose=purpose,
        details=details,
        totp_secret=totp_secret,
        create_time=now,
        expire_time=now + purpose.lifetime,
        void_time=None,
        use_time=None,
        use_fingerprint=None,
    )
    await mailed_links.create(tx, link, token.digest)
    return token


async def follow(tx: Transaction, token: Token, purpose: Purpose, content: str, now: datetime) -> Followed:
    """Lock the account, then read the link. ``content`` is what the follower chose (a new password, or "").

    Unknown, of another purpose, over, void, or used for other content: LINK_INVALID.
    """
    factor = await second_factors.lock(tx, token.account_id)
    link = await mailed_links.find(tx, token.account_id, token.digest) if factor else None
    if factor is None or link is None:
        raise Refusal(Reason.LINK_INVALID)
    link.check_live(purpose, now)
    fingerprint = content_fingerprint(token, f"{purpose}\0{content}".encode())
    if link.use_fingerprint is not None and not hmac.compare_digest(link.use_fingerprint, fingerprint):
        raise Refusal(Reason.LINK_INVALID)
    return Followed(factor, link, fingerprint, again=link.use_fingerprint is not None)


async def use_up(tx: Transaction, followed: Followed, now: datetime) -> None:
    """Use the link up, in the transaction of what it does; whatever was read before, it is used once."""
    if not await mailed_links.use(tx, followed.link, followed.fingerprint, now):
        raise Refusal(Reason.LINK_INVALID)
