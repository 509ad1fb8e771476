"""Commands that change the account: its address, its end, and "this wasn't me"."""

from twofactor.v1.account_service_pb2 import (
    UNDONE_CHANGE_AUTHENTICATOR_REMOVED,
    UNDONE_CHANGE_AUTHENTICATOR_RESTORED,
    UNDONE_CHANGE_BACKUP_CODE_RETIRED,
    UNDONE_CHANGE_EMAIL_RESTORED,
    UNDONE_CHANGE_FIRST_FACTOR_SUSPENDED,
    UNDONE_CHANGE_IDENTITY_UNLINKED,
    UNDONE_CHANGE_PASSWORD_CHANGED,
    UNDONE_CHANGE_SESSIONS_ENDED,
    ConfirmEmailChangeResponse,
)
from twofactor_try.by_hand.passwords import read_new_password
from twofactor_try.by_hand.step import Said, Step, said
from twofactor_try.by_hand.words import account_words, at
from twofactor_try.failures import CannotStartError
from twofactor_try.mailbox import newest_token, token_typed

_OF_SESSION = ("session_token", "challenge_token", "setup_id", "generation", "regenerate_request_id")
"""What is remembered and of no use once everybody is signed out."""

_UNDONE = {
    UNDONE_CHANGE_SESSIONS_ENDED: "Everybody is signed out, and nobody's sign-in under way can be completed.",
    UNDONE_CHANGE_PASSWORD_CHANGED: "The new password works.",
    UNDONE_CHANGE_FIRST_FACTOR_SUSPENDED: "Signing in is suspended: the link to lift that is on its way.",
    UNDONE_CHANGE_AUTHENTICATOR_REMOVED: "The authenticator is removed: the account is on e-mail codes, as before.",
    UNDONE_CHANGE_AUTHENTICATOR_RESTORED: "The authenticator that was removed or replaced works again.",
    UNDONE_CHANGE_BACKUP_CODE_RETIRED: "The backup code is dead: sign in with the app, then `regenerate`.",
    UNDONE_CHANGE_EMAIL_RESTORED: "The address is the account's again.",
    UNDONE_CHANGE_IDENTITY_UNLINKED: "The identity that was linked is no longer.",
}


def change_email(step: Step) -> Said:
    email = step.options.email
    answer = step.contract.change_email(step.session_token, step.proof(), email)
    return said(
        answer,
        f"A link is on its way to {email}. It works until {at(answer.expire_time)}:",
        f"twofactor-try confirm-email {email}",
    )


def confirm_email(step: Step) -> Said:
    account = step.contract.confirm_email_change(_token(step, "confirm-email"))
    return said(ConfirmEmailChangeResponse(account=account), "The address is changed.", *account_words(account))


def not_me(step: Step) -> Said:
    token = _token(step, "not-me", step.options.kind)
    password = read_new_password(step.options) if step.options.new_password else ""
    answer = step.contract.report_not_me(token, password)
    step.memory.forget(*_OF_SESSION)
    return said(answer, *(_UNDONE.get(one, f"Something that is not known here: {one}.") for one in answer.undone))


def close_account(step: Step) -> Said:
    if step.options.account_id:
        step.contract.close_account(account_id=step.options.account_id)
    else:
        step.contract.close_account(session_token=step.session_token, proof=step.proof())
    step.memory.forget(*_OF_SESSION)
    return said(None, "The account is closed.")


def _token(step: Step, purpose: str, kind: str | None = None) -> str:
    """From the command line; where that names an address, from the newest mail to it in the server's data folder."""
    typed, folder = step.options.link, step.options.data_dir / "mail"
    if (token := token_typed(typed)) is not None:
        return token
    token = newest_token(folder, typed, purpose, kind) if folder.is_dir() else None
    if token is None:
        raise CannotStartError(f"No such mail to {typed} is in {folder}: give the link itself, or see --data-dir.")
    return token
