"""Commands that change the password: by its owner, signed in or not."""

from twofactor_try.by_hand.passwords import read_new_password, read_password
from twofactor_try.by_hand.step import Said, Step, said
from twofactor_try.mailbox import PASSWORD_RESET, Mailbox, token_typed

_PATIENCE_SECONDS = 5.0


def set_password(step: Step) -> Said:
    session_token, proof = step.session_token, step.proof()
    step.contract.set_password(session_token, proof, read_new_password(step.options), step.options.request_id)
    return said(None, "The account has a password. Everybody who was signed in elsewhere is signed out.")


def change_password(step: Step) -> Said:
    session_token, current = step.session_token, read_password(step.options, "Current password: ")
    new = read_new_password(step.options)
    step.contract.change_password(session_token, current, new, step.options.request_id)
    return said(None, "The password is changed. Everybody who was signed in elsewhere is signed out.")


def reset_password(step: Step) -> Said:
    token = token_typed(step.options.link) or _asked_for(step)
    if token is None:
        return said(
            None,
            "If the address has an account, a link is on its way to it. Go on with that:",
            "twofactor-try reset-password LINK",
        )
    step.contract.complete_password_reset(token, read_new_password(step.options))
    return said(None, "The new password works. Nobody is signed in: begin with `twofactor-try sign-in`.")


def _asked_for(step: Step) -> str | None:
    """Ask for the link; its token where the server's mails can be read, None where they cannot, or none comes."""
    email, folder = step.options.link, step.options.data_dir / "mail"
    inbox = Mailbox(folder, email) if folder.is_dir() else None
    step.contract.start_password_reset(email)
    return inbox.wait_for_token(PASSWORD_RESET, _PATIENCE_SECONDS) if inbox else None
