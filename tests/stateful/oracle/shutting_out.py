"""What every new password brings about, and every lifted suspension: who was in is out."""

from dataclasses import replace

from tests.stateful.oracle import replies
from tests.stateful.oracle.moments import Moment
from tests.stateful.oracle.state import Account


def with_password(account: Account, password: str) -> Account:
    """With a new one, of which the owner is told."""
    version = account.password_version + 1
    return replace(account, password=password, password_version=version).mailed("password-changed")


def everybody_out(account: Account, at: Moment, keep_session: str = "") -> Account:
    """Every session ends but this one, and what is open is void."""
    for token, session in account.sessions.items():
        if not session.ended and token != keep_session:
            account = replies.erase_of_session(account.with_session(token, ended=True), token)
    for token, challenge in account.challenges.items():
        if not challenge.completed and not challenge.over(at.now):
            account = account.with_challenge(token, voided=True)
    return account
