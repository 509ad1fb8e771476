"""Every method of the contract, and every order in which calls made at one moment may have happened."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.stateful.oracle import (
    account_calls,
    accounts,
    backup_codes,
    calls,
    challenges,
    changes,
    codes,
    identities,
    passwords,
    sessions,
    setups,
    suspension,
)
from tests.stateful.oracle.answers import Answer, Refusal
from tests.stateful.oracle.forms import malformed
from tests.stateful.oracle.moments import Fresh, Moment, Next, Step
from tests.stateful.oracle.state import Account

FIRST: dict[type, Step] = {
    account_calls.CreateAccount: accounts.create_account,
    account_calls.GetAccount: accounts.get_account,
    calls.StartSignIn: challenges.start_sign_in,
    calls.GetChallenge: challenges.get_challenge,
    calls.SendEmailCode: codes.send_email_code,
    calls.VerifyEmailCode: codes.verify_email_code,
    calls.VerifyAuthenticatorCode: codes.verify_authenticator_code,
    calls.UseBackupCode: backup_codes.use_backup_code,
    calls.GetSession: sessions.get_session,
    calls.SignOut: sessions.sign_out,
    calls.ListSessions: sessions.list_sessions,
    calls.RevokeSession: sessions.revoke_session,
    calls.RevokeOtherSessions: sessions.revoke_other_sessions,
    account_calls.ConfirmFirstFactor: suspension.confirm_first_factor,
    account_calls.SetPassword: passwords.choose_password,
    account_calls.ChangePassword: passwords.choose_password,
    account_calls.LinkIdentity: identities.link_identity,
    account_calls.UnlinkIdentity: identities.unlink_identity,
    account_calls.ListIdentities: identities.list_identities,
    calls.GetTwoFactor: sessions.get_two_factor,
    calls.ConfirmBackupCodeSaved: sessions.confirm_saved,
    calls.StartAuthenticatorSetup: setups.start_setup,
    calls.ConfirmAuthenticatorSetup: setups.confirm_setup,
    calls.CancelAuthenticatorSetup: setups.cancel_setup,
    calls.RegenerateBackupCode: changes.regenerate,
    calls.RemoveAuthenticator: changes.remove,
}
"""The first step of each method."""


@dataclass(frozen=True)
class Made:
    """A call that was made, what it was answered, and what was made at random for it."""

    call: calls.Call
    answer: Answer
    fresh: Fresh


Progress = tuple[Next | None, ...]
"""What each call does next; None: it was answered."""


def explained(accounts: Sequence[Account], made: Sequence[Made], at: Moment) -> list[Account]:
    """What each account may be after these calls, made at one moment, were answered as they were.

    Each call is one step or several, and those of different calls may have come in any order. Only orders in which
    every call is answered what it was answered count; none left: the answers have no explanation.
    """
    start: Progress = tuple(Next(FIRST[type(one.call)]) for one in made)
    known: dict[Progress, list[Account]] = {start: list(accounts)}
    todo = [(account, start) for account in accounts]
    while todo:
        account, progress = todo.pop()
        for after, rest in _moves(account, progress, made, at):
            same = known.setdefault(rest, [])
            if after not in same:
                same.append(after)
                todo.append((after, rest))
    return known.get((None,) * len(made), [])


def _moves(
    account: Account, progress: Progress, made: Sequence[Made], at: Moment
) -> Iterator[tuple[Account, Progress]]:
    """What one more step of one call can lead to."""
    for number, following in enumerate(progress):
        if following is None:
            continue
        for after, outcome in outcomes(account, made[number], following, at):
            if isinstance(outcome, Next):
                yield after, (*progress[:number], outcome, *progress[number + 1 :])
            elif outcome == made[number].answer:
                yield after, (*progress[:number], None, *progress[number + 1 :])


def outcomes(account: Account, one: Made, following: Next, at: Moment) -> Iterator[tuple[Account, Answer | Next]]:
    """What a step comes to; a raised refusal leaves the account as it was."""
    if refused := malformed(one.call):
        yield account, refused
        return
    try:
        yield from following.step(account, one.call, replace(at, fresh=one.fresh), *following.facts)
    except Refusal as refusal:
        yield account, refusal.answer


def one_by_one(account: Account, made: Sequence[Made], at: Moment) -> list[Answer]:
    """What the calls would be answered one after the other: to be shown beside answers that have no explanation."""
    answers: list[Answer] = []
    for one in made:
        outcome: Answer | Next = Next(FIRST[type(one.call)])
        while isinstance(outcome, Next):
            account, outcome = next(outcomes(account, one, outcome, at))
        answers.append(outcome)
    return answers
