"""Which program a call runs, step by step. The names of the steps are the server's (``flows/steps.py``)."""

from typing import Any

from model import account_calls, backup_codes, completion, first_factor_calls, owner_calls
from model.calls import (
    OK,
    AppMovesOn,
    ChangePassword,
    Close,
    ConfirmEmail,
    ConfirmSetup,
    Intent,
    Next,
    Outcome,
    Regenerate,
    Remove,
    Report,
    Result,
    Revoke,
    Saved,
    SetPassword,
    SignOut,
    StartByIdentity,
    StartSetup,
    StartSignIn,
    TenMinutesPass,
    Unlink,
    Use,
    VerifyApp,
)
from model.database import Insert, Read, Refused, Steps, UpdateAll
from model.mechanisms import Mechanism, Protocol
from model.rows import ACCOUNT, Account, Challenge, Key
from model.statements import lock_factor, read_password_version

FIRST = {
    VerifyApp: "authenticator-code-judged",
    StartSignIn: "password-verified",
    StartByIdentity: "identity-exchanged",
    Regenerate: "regeneration-charged",
    Remove: "removal-charged",
    StartSetup: "setup-started",
    ConfirmSetup: "setup-code-judged",
    Saved: "backup-code-saved",
    SignOut: "signed-out",
    Revoke: "session-revoked",
    ChangePassword: "password-charged",
    SetPassword: "password-charged",
    Unlink: "unlink-charged",
    ConfirmEmail: "email-changed",
    Report: "not-me-reported",
    Close: "closing-charged",
    TenMinutesPass: "time",
    AppMovesOn: "time",
}


def first_phase(p: Protocol, intent: Intent) -> str:
    """The step that a call begins with."""
    return backup_codes.first_phase(p) if isinstance(intent, Use) else FIRST[type(intent)]


def program(p: Protocol, intent: Intent, phase: str, facts: tuple[Any, ...], who: str) -> Steps[Result]:
    """The transaction of this step. ``who`` names the codes that it makes."""
    match intent:
        case Use():
            return _use(p, intent, phase, facts, who)
        case VerifyApp():
            return completion.verify_app(p, intent, who)
        case StartSignIn():
            return _verify_password() if phase == "password-verified" else _start(p, intent, *facts)
        case StartByIdentity():
            first = phase == FIRST[StartByIdentity]
            return first_factor_calls.exchange(intent) if first else _start(p, intent, *facts)
        case ChangePassword() | SetPassword() | Unlink():
            return _first_factor(p, intent, phase, facts)
        case TenMinutesPass() | AppMovesOn():
            return _pass_time(intent)
        case ConfirmEmail():
            return account_calls.confirm_email(p, intent)
        case Report():
            return account_calls.report(p, intent)
        case Close():
            first = phase == FIRST[Close]
            return account_calls.charge_closing(p, intent) if first else account_calls.close(p, intent, *facts)
        case _:
            return _owner(p, intent, phase, facts, who)


def _use(p: Protocol, use: Use, phase: str, facts: tuple[Any, ...], who: str) -> Steps[Result]:
    match phase:
        case backup_codes.CHARGED:
            return backup_codes.charge(p, use)
        case backup_codes.REFUSED:
            return backup_codes.refuse(p, use)
        case backup_codes.REPLACED:
            return backup_codes.replace(p, use, facts[0], who)
        case backup_codes.NEW_CODE_IN:
            return backup_codes.new_code_in(p, use, facts[0], who)
        case backup_codes.LOOKED_UP:
            return backup_codes.look_up(p, use)
        case backup_codes.CHARGED_LATE:
            return backup_codes.charge_late(p, use, facts[0], who, right=facts[1])
        case _:
            return backup_codes.charge_and_judge(p, use, who)


def _owner(p: Protocol, intent: Intent, phase: str, facts: tuple[Any, ...], who: str) -> Steps[Result]:
    first = phase == FIRST[type(intent)]
    match intent:
        case Regenerate():
            if first:
                return owner_calls.charge_regeneration(p, intent)
            return owner_calls.regenerate(p, intent, facts[0], facts[1], who)
        case Remove():
            return owner_calls.charge_removal(p, intent) if first else owner_calls.remove(p, intent, *facts)
        case ConfirmSetup():
            return owner_calls.judge_setup(p, intent) if first else owner_calls.turn_on(p, intent, who)
        case StartSetup():
            return owner_calls.start_setup(p, intent)
        case Saved():
            return owner_calls.save(p, intent)
        case SignOut():
            return owner_calls.sign_out(p, intent)
        case Revoke():
            return owner_calls.revoke(p, intent)
    raise TypeError(intent)


def _first_factor(
    p: Protocol, intent: ChangePassword | SetPassword | Unlink, phase: str, facts: tuple[Any, ...]
) -> Steps[Result]:
    first = phase == FIRST[type(intent)]
    if isinstance(intent, Unlink):
        return first_factor_calls.charge_unlinking(p, intent) if first else first_factor_calls.unlink(p, intent, *facts)
    if first:
        return first_factor_calls.charge_password(p, intent)
    return first_factor_calls.replace_password(p, intent, *facts)


def _verify_password() -> Steps[Result]:
    """Verified against what is read without a lock, as Argon2id takes its time."""
    return Next("sign-in-started", ((yield from read_password_version()),))


def _start(p: Protocol, call: StartSignIn | StartByIdentity, verified: int) -> Steps[Result]:
    """``sign-in-started``: the password that was verified may have been changed since."""
    yield from lock_factor(p)
    account: Account = yield Read(ACCOUNT)
    if account.closed or (account.password_version != verified and p.has(Mechanism.VERSION_REREAD)):
        raise Refused("CREDENTIALS_MISMATCH")
    begun_by = 0
    if isinstance(call, StartByIdentity):
        begun_by = call.identity
        yield from first_factor_calls.check_still_linked(p, call)
    key: Key = ("challenges", call.challenge)
    # Repeated after a lost answer it makes another challenge, the first one's token being lost: one row does for both.
    if (yield Read(key)) is None:
        yield Insert(key, Challenge(password_version=verified, address=account.address, begun_by=begun_by))
    return Outcome(OK)


def _pass_time(intent: TenMinutesPass | AppMovesOn) -> Steps[Result]:
    if isinstance(intent, TenMinutesPass):
        yield UpdateAll("challenges", lambda _, row: not row.over, lambda _, row: row._replace(over=True))
    else:
        yield UpdateAll("authenticator_setups", lambda _, row: not row.stale, lambda _, row: row._replace(stale=True))
    return Outcome(OK)
