"""Reverting the change that a notice described, if it is still in effect (domain/revert.py)."""

from uuid import UUID

from twofactor_server.crypto.hashing import NewBackupCode
from twofactor_server.domain.mailed_links import MailedLink
from twofactor_server.domain.revert import RevertedChange, earlier_authenticator, factor_state, same_recipient
from twofactor_server.domain.second_factors import Method, SecondFactor
from twofactor_server.flows.mailed_links import FollowedLink
from twofactor_server.flows.unit_of_work import UnitOfWork
from twofactor_server.storage import account_emails, identities, second_factors, undo_links


def may_replace_backup_code(link: MailedLink) -> bool:
    """Whether reverting the change may install a backup code that is shown to no one."""
    return "generation" in link.details or "before" in link.details


async def revert_change(
    uow: UnitOfWork, followed: FollowedLink, undisclosed_code: NewBackupCode | None
) -> list[RevertedChange]:
    """Revert what the link's details describe; what was reverted. The code is needed if ``may_replace_backup_code``."""
    link = followed.link
    details, account_id = link.details, link.account_id
    if "before" in details and undisclosed_code:
        return await _revert_authenticator(uow, followed.factor, link, undisclosed_code)
    if "generation" in details and undisclosed_code:
        return await _retire_backup_code(uow, followed.factor, link, undisclosed_code)
    if "old_email" in details:
        # Also if the address was changed again: the notice of that change went to the address in between.
        restored = await account_emails.restore_address(
            uow.tx, account_id, details["old_email"], reserved_until=link.expire_time, now=uow.now
        )
        return [RevertedChange.EMAIL_RESTORED] if restored else []
    if "identity_id" in details:
        unlinked = await identities.unlink(uow.tx, account_id, UUID(details["identity_id"]))
        return [RevertedChange.IDENTITY_UNLINKED] if unlinked else []
    return []


async def _revert_authenticator(
    uow: UnitOfWork, factor: SecondFactor, link: MailedLink, undisclosed_code: NewBackupCode
) -> list[RevertedChange]:
    """Restore the second factor from before the change, with an undisclosed backup code.

    If it was changed again since, nothing is restored, but the report of the next change then restores the state before
    both. A stranger who moved the authenticator twice is reverted in whatever order the owner reports the two changes.
    """
    details, account_id = link.details, link.account_id
    if factor_state(factor.generation, factor.totp_secret) != details["after"]:
        await undo_links.transfer_undo(uow.tx, link)
        return []
    earlier = earlier_authenticator(details, link.totp_secret)
    if earlier is not None:
        await second_factors.restore_authenticator(
            uow.tx, account_id, generation=factor.generation, earlier=earlier,
            code_hash=undisclosed_code.code_hash, now=uow.now,
        )  # fmt: skip
        return [RevertedChange.AUTHENTICATOR_RESTORED, RevertedChange.BACKUP_CODE_RETIRED]
    if factor.method is Method.EMAIL:
        return []
    await second_factors.turn_off_authenticator(uow.tx, account_id, factor.generation)
    await undo_links.rename_state(uow.tx, account_id, details["before"], factor_state(factor.generation, None))
    return [RevertedChange.AUTHENTICATOR_REMOVED]


async def _retire_backup_code(
    uow: UnitOfWork, factor: SecondFactor, link: MailedLink, undisclosed_code: NewBackupCode
) -> list[RevertedChange]:
    """Replace the current backup code if the person who was shown the notice's code was shown the current one, too."""
    if factor.method is Method.EMAIL:
        return []
    account_id, shown = link.account_id, link.details["generation"]
    spent = await undo_links.spent_generations(uow.tx, account_id, shown)
    shown_in_session = await undo_links.generations_shown_in(uow.tx, account_id, link.details["session_id"])
    if not same_recipient(shown, factor.generation, spent=spent, shown_in_session=shown_in_session):
        return []
    await second_factors.replace_backup_code(uow.tx, account_id, factor.generation, undisclosed_code.code_hash, uow.now)
    return [RevertedChange.BACKUP_CODE_RETIRED]
