"""Commands about sessions: which there are, and their end; and the link that lets sign-ins begin again."""

from twofactor_try.by_hand.passwords import read_password
from twofactor_try.by_hand.step import Said, Step, said
from twofactor_try.by_hand.words import session_table
from twofactor_try.mailbox import token_typed

_OF_SESSION = ("session_token", "setup_id", "generation", "regenerate_request_id")
"""What is remembered of a session and of no use without it."""


def sessions(step: Step) -> Said:
    answer = step.contract.list_sessions(step.session_token)
    return said(answer, *session_table(answer))


def sign_out(step: Step) -> Said:
    step.contract.sign_out(step.session_token)
    step.memory.forget(*_OF_SESSION)
    return said(None, "Signed out.")


def revoke(step: Step) -> Said:
    session_id = step.options.session_id
    ours = step.contract.list_sessions(step.session_token).current_session_id
    step.contract.revoke_session(step.session_token, session_id)
    if session_id == ours:
        step.memory.forget(*_OF_SESSION)
        return said(None, "That was this session: signed out.")
    return said(None, f"Session {session_id} is over.")


def sign_out_others(step: Step) -> Said:
    everywhere = step.options.everywhere
    step.contract.revoke_other_sessions(step.session_token, including_this=everywhere)
    if everywhere:
        step.memory.forget(*_OF_SESSION)
    return said(None, "Signed out everywhere." if everywhere else "Signed out everywhere but here.")


def confirm_sign_in(step: Step) -> Said:
    options = step.options
    password = "" if options.no_password else read_password(options, "New password: ", twice=True)
    step.contract.confirm_first_factor(token_typed(options.link) or "", password)
    changed = "" if options.no_password else ", with the new password"
    return said(None, f"Sign-ins can begin again{changed}. All sessions are over.")
