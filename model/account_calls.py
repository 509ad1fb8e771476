"""What changes the account itself: an address confirmed, "this wasn't me", the end of it."""

from model.calls import OK, Close, ConfirmEmail, Next, Outcome, Report, Result
from model.database import Find, Read, Refused, Steps, Update
from model.mechanisms import Protocol
from model.owner_calls import lock_owner
from model.rows import ACCOUNT, AUTHENTICATOR, Account, Code, Link
from model.statements import (
    end_sessions,
    end_setups,
    erase_superseded,
    generation_spent,
    lock_factor,
    read_password_version,
    replace_backup_code,
    turn_off_authenticator,
    void_challenges,
)


def untold(generation: int) -> Code:
    """A backup code that is put in place and shown to nobody."""
    return f"{generation}untold"


def _follow(number: int) -> Steps[bool]:
    """Use the link up; False if it was used before, which is as well."""
    link: Link = yield Read(("mailed_links", number))
    if link.used:
        return False
    used = yield Update(("mailed_links", number), lambda row: not row.used, lambda row: row._replace(used=True))
    if used is None:
        raise Refused("LINK_INVALID")
    return True


def _shut_out(p: Protocol) -> Steps[None]:
    """Every session ends, every open challenge is void."""
    found = yield Find("sessions", lambda _, row: not row.ended)
    yield from end_sessions(*(row.challenge for _, row in found))
    yield from void_challenges(p)


def confirm_email(p: Protocol, call: ConfirmEmail) -> Steps[Result]:
    """``email-changed``: a challenge's address is frozen, so the open ones are void."""
    yield from lock_factor(p)
    if (yield from _follow(call.link)):
        yield Update(ACCOUNT, lambda _: True, lambda row: row._replace(address=row.address + 1))
        yield from void_challenges(p)
    return Outcome(OK)


def report(p: Protocol, call: Report) -> Steps[Result]:
    """``not-me-reported``: whoever was shown this generation's code, and what came of using it, has nothing left."""
    factor = yield from lock_factor(p)
    if not (yield from _follow(call.link)):
        return Outcome(OK)
    yield from _shut_out(p)
    shown = call.generation
    while shown < factor.generation and (yield from generation_spent(shown)):
        shown += 1
    if factor.method == AUTHENTICATOR and shown == factor.generation:
        yield from replace_backup_code(p, factor.generation, untold(factor.generation + 1))
        yield from erase_superseded(factor.generation + 1)
    return Outcome(OK)


def charge_closing(p: Protocol, call: Close) -> Steps[Result]:
    """``closing-charged``."""
    yield from lock_owner(p, call.session)
    return Next("account-closed", ((yield from read_password_version()),))


def close(p: Protocol, call: Close, version: int) -> Steps[Result]:
    """``account-closed``: everything that opens anything is gone. The generation's number stays."""
    factor, _ = yield from lock_owner(p, call.session)
    account: Account = yield Read(ACCOUNT)
    if account.password_version != version:
        raise Refused("REAUTHENTICATION_FAILED")
    yield Update(ACCOUNT, lambda _: True, lambda row: row._replace(closed=True))
    if factor.method == AUTHENTICATOR:
        yield from turn_off_authenticator(p, factor.generation)
    yield from end_setups()
    yield from _shut_out(p)
    return Outcome(OK)
