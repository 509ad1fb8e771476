"""Undoing the change that a notice told of, as far as it still stands (domain/not_me.py says what that means)."""

from datetime import datetime
from uuid import UUID

from twofactor_server.crypto.hashing import Replacement
from twofactor_server.domain.mailed_links import MailedLink
from twofactor_server.domain.not_me import Undone, earlier_authenticator, factor_state, seen_by_the_same
from twofactor_server.domain.second_factors import Method, SecondFactor
from twofactor_server.flows.mailed_links import Followed
from twofactor_server.storage import account_emails, identities, not_me_links, second_factors
from twofactor_server.storage.database import Transaction


def retires_a_code(link: MailedLink) -> bool:
    """Whether undoing it may put a backup code in place that nobody is told."""
    return "generation" in link.details or "before" in link.details


async def undo(tx: Transaction, followed: Followed, untold: Replacement | None, now: datetime) -> list[Undone]:
    """Undo what the link tells of; what was done. ``untold`` is there where ``retires_a_code``."""
    details, account_id = followed.link.details, followed.link.account_id
    if "before" in details and untold:
        return await _authenticator(tx, followed.factor, followed.link, untold, now)
    if "generation" in details and untold:
        return await _backup_code(tx, followed.factor, followed.link, untold, now)
    if "old_email" in details:
        # Also where the address was changed once more since: that link was mailed to the one in between.
        kept_until = followed.link.expire_time
        back = await account_emails.take_back(tx, account_id, details["old_email"], reserved_until=kept_until, now=now)
        return [Undone.EMAIL_RESTORED] if back else []
    if "identity_id" in details:
        unlinked = await identities.unlink(tx, account_id, UUID(details["identity_id"]))
        return [Undone.IDENTITY_UNLINKED] if unlinked else []
    return []


async def _authenticator(
    tx: Transaction, factor: SecondFactor, link: MailedLink, untold: Replacement, now: datetime
) -> list[Undone]:
    """The second factor is what it was before, with a backup code that nobody knows.

    If it was changed again since, nothing is brought back: but the next change, reported as well, then brings back what
    was before both. So a stranger who moves an authenticator twice is undone in whatever order the owner says so.
    """
    details, account_id = link.details, link.account_id
    if factor_state(factor.generation, factor.totp_secret) != details["after"]:
        await not_me_links.hand_on(tx, link)
        return []
    earlier = earlier_authenticator(details, link.totp_secret)
    if earlier is not None:
        await second_factors.restore_authenticator(
            tx, account_id, generation=factor.generation, earlier=earlier, code_hash=untold.code_hash, now=now
        )
        return [Undone.AUTHENTICATOR_RESTORED, Undone.BACKUP_CODE_RETIRED]
    if factor.method is Method.EMAIL:
        return []
    await second_factors.turn_off_authenticator(tx, account_id, factor.generation)
    await not_me_links.stands_at(tx, account_id, details["before"], factor_state(factor.generation, None))
    return [Undone.AUTHENTICATOR_REMOVED]


async def _backup_code(
    tx: Transaction, factor: SecondFactor, link: MailedLink, untold: Replacement, now: datetime
) -> list[Undone]:
    """The current backup code dies, if whoever was shown the one of the notice was shown it too."""
    if factor.method is Method.EMAIL:
        return []
    account_id, shown = link.account_id, link.details["generation"]
    spent = await not_me_links.generations_spent(tx, account_id, shown)
    made = await not_me_links.generations_made_in(tx, account_id, link.details["session_id"])
    if not seen_by_the_same(shown, factor.generation, spent=spent, made=made):
        return []
    await second_factors.replace_backup_code(tx, account_id, factor.generation, untold.code_hash, now)
    return [Undone.BACKUP_CODE_RETIRED]
