"""What changes the account: its password, identities and address, "this wasn't me", and closing."""

from model import statements
from model.calls import (
    OK,
    ChangePassword,
    CloseAccount,
    ConfirmEmailChange,
    Next,
    Outcome,
    ReportNotMe,
    Result,
    SetPassword,
    UnlinkIdentity,
)
from model.database import Find, Read, Refused, Steps, Update
from model.mechanisms import Context, Mechanism
from model.rows import ACCOUNT, AUTHENTICATOR, Code, Link
from model.sessions import check_password_version, find_stored, lock_live_session, store_and_answer
from model.sign_in import check_linked, is_linked


def charge_password(ctx: Context, call: ChangePassword | SetPassword) -> Steps[Result]:
    """``password-charged``: a stored reply, or the proof to verify."""
    yield from lock_live_session(ctx, call.session)
    stored = yield from find_stored(call)
    if stored:
        return stored
    yield from _check_may_set(call)
    return Next("password-changed", ((yield from statements.read_password_version()),))


def replace_password(ctx: Context, call: ChangePassword | SetPassword, version: int) -> Steps[Result]:
    """``password-changed``: voids open challenges and ends every other session."""
    yield from lock_live_session(ctx, call.session)
    stored = yield from find_stored(call)
    if stored:
        return stored
    yield from _check_may_set(call)
    yield from check_password_version(version)
    if isinstance(call, SetPassword):
        yield from check_linked(call.identity, "REAUTHENTICATION_FAILED")
    changed = {"password_version": version + 1, "has_password": True}
    yield Update(ACCOUNT, lambda _: True, lambda row: row._replace(**changed))
    yield from statements.void_challenges(ctx)
    yield from statements.end_other_sessions(call.session)
    return (yield from store_and_answer(call))


def _check_may_set(call: ChangePassword | SetPassword) -> Steps[None]:
    if isinstance(call, SetPassword) and (yield from statements.read_account()).has_password:
        raise Refused("CONFLICT")


def charge_unlinking(ctx: Context, call: UnlinkIdentity) -> Steps[Result]:
    """``unlink-charged``: nothing to unlink, or the proof to verify."""
    yield from lock_live_session(ctx, call.session)
    if not (yield from is_linked(call.identity)):
        return Outcome(OK)
    version = yield from statements.read_password_version()
    return Next("identity-unlinked", (version, (yield from _has_other_first_factor(call.identity))))


def unlink(ctx: Context, call: UnlinkIdentity, version: int, has_other: bool) -> Steps[Result]:
    """``identity-unlinked``: never the last first factor. Voids the challenges that the identity started."""
    yield from lock_live_session(ctx, call.session)
    if not (yield from is_linked(call.identity)):
        return Outcome(OK)
    yield from check_password_version(version)
    if ctx.has(Mechanism.REREAD):
        has_other = yield from _has_other_first_factor(call.identity)
    if not has_other:
        return Outcome("LAST_WAY_IN")
    yield Update(("identities", call.identity), lambda row: bool(row.linked), lambda row: row._replace(linked=False))
    yield from statements.void_challenges(ctx, started_by=call.identity)
    return Outcome(OK)


def _has_other_first_factor(identity: int) -> Steps[bool]:
    account = yield from statements.read_account()
    others = yield Find("identities", lambda key, row: bool(row.linked and key[1] != identity))
    return account.has_password or bool(others)


def _use_link(number: int) -> Steps[bool]:
    """Mark the mailed link as used; False if it was used before, which makes the call a repetition."""
    link: Link = yield Read(("mailed_links", number))
    if link.used:
        return False
    used = yield Update(("mailed_links", number), lambda row: not row.used, lambda row: row._replace(used=True))
    if used is None:
        raise Refused("LINK_INVALID")
    return True


def _revoke_all_access(ctx: Context) -> Steps[None]:
    yield from statements.end_other_sessions()
    yield from statements.void_challenges(ctx)


def confirm_email_change(ctx: Context, call: ConfirmEmailChange) -> Steps[Result]:
    """``email-changed``: voids open challenges, because a challenge keeps the address it was started for."""
    yield from statements.lock_factor(ctx)
    if (yield from _use_link(call.link)):
        yield Update(ACCOUNT, lambda _: True, lambda row: row._replace(address=row.address + 1))
        yield from statements.void_challenges(ctx)
    return Outcome(OK)


def undisclosed_code(generation: int) -> Code:
    """A backup code that is stored and shown to no one. In capitals, which ``symmetry`` never renames."""
    return f"{generation}UNDISCLOSED"


def report_not_me(ctx: Context, call: ReportNotMe) -> Steps[Result]:
    """``change-reported``: retires the reported code, and the codes that were obtained by using it."""
    factor = yield from statements.lock_factor(ctx)
    if not (yield from _use_link(call.link)):
        return Outcome(OK)
    yield from _revoke_all_access(ctx)
    known = call.generation
    while known < factor.generation and (yield from statements.is_generation_spent(known)):
        known += 1
    if factor.method == AUTHENTICATOR and known == factor.generation:
        replacement = undisclosed_code(factor.generation + 1)
        yield from statements.replace_backup_code(ctx, factor.generation, replacement)
        yield from statements.erase_superseded(factor.generation + 1)
    return Outcome(OK)


def charge_closing(ctx: Context, call: CloseAccount) -> Steps[Result]:
    """``closing-charged``: the password to verify."""
    yield from lock_live_session(ctx, call.session)
    return Next("account-closed", ((yield from statements.read_password_version()),))


def close(ctx: Context, call: CloseAccount, version: int) -> Steps[Result]:
    """``account-closed``: removes both factors and all access. The generation keeps its value."""
    factor = yield from lock_live_session(ctx, call.session)
    yield from check_password_version(version)
    yield Update(ACCOUNT, lambda _: True, lambda row: row._replace(closed=True))
    if factor.method == AUTHENTICATOR:
        yield from statements.turn_off_authenticator(ctx, factor.generation)
    yield from statements.end_setups()
    yield from _revoke_all_access(ctx)
    return Outcome(OK)
