"""What a signed-in owner changes: the server's regeneration, setup, removal, "saved" and sign-out.

The password is right at first; charging and judging it is left out, that it is read again under the lock is not.
"""

from model.calls import (
    OK,
    ChangePassword,
    ConfirmSetup,
    Next,
    Outcome,
    Regenerate,
    Remove,
    Result,
    Revoke,
    Saved,
    SetPassword,
    SignOut,
    StartSetup,
)
from model.completion import answered
from model.database import Read, Refused, Steps
from model.mechanisms import Mechanism, Protocol
from model.rows import AUTHENTICATOR, EMAIL, Code, Factor, Reply, Session, Setup
from model.statements import (
    create_setup,
    end_sessions,
    end_setups,
    erase_saved,
    erase_superseded,
    keep_reply,
    lock_factor,
    lock_session,
    mark_saved,
    read_password_version,
    replace_backup_code,
    turn_off_authenticator,
    turn_on_authenticator,
)

Logical = Regenerate | ConfirmSetup | ChangePassword | SetPassword
"""The calls that keep a reply in their session."""


def lock_owner(p: Protocol, session: int) -> Steps[tuple[Factor, Session]]:
    """The account's row and the session, locked in that order, then read; not live: SESSION_ENDED."""
    factor = yield from lock_factor(p)
    locked = yield from lock_session(p, session)
    if locked is None or locked.ended:
        raise Refused("SESSION_ENDED")
    return factor, locked


def _check_method(factor: Factor) -> None:
    if factor.method != AUTHENTICATOR:
        raise Refused("METHOD_NOT_ACTIVE")


def confirm(version: int) -> Steps[None]:
    """The password is still the one that was verified."""
    if (yield from read_password_version()) != version:
        raise Refused("REAUTHENTICATION_FAILED")


def _check_same(p: Protocol, factor: Factor, bound: int) -> None:
    if factor.bound != bound and p.has(Mechanism.SAME_AUTHENTICATOR):
        raise Refused("CONFLICT")


def shown_before(call: Logical) -> Steps[Outcome | None]:
    """The reply given before to this logical call; None if there is none."""
    shown = yield from answered(f"session {call.session}", call.request, *content(call))
    return shown


def content(call: Logical) -> tuple[str, str]:
    """The method and what is fingerprinted beside it."""
    return type(call).__name__, str(call.setup) if isinstance(call, ConfirmSetup) else ""


def _show(call: Regenerate | ConfirmSetup, code: Code, generation: int) -> Steps[Outcome]:
    if call.request is not None:
        reply = Reply(*content(call), call.session, code, generation)
        yield from keep_reply(f"session {call.session}", call.request, reply)
    return Outcome(OK, code, generation)


def charge_regeneration(p: Protocol, call: Regenerate) -> Steps[Result]:
    """``regeneration-charged``: a reply given before, or the password to verify."""
    factor, _ = yield from lock_owner(p, call.session)
    shown = yield from shown_before(call)
    if shown:
        return shown
    _check_method(factor)
    return Next("backup-code-regenerated", ((yield from read_password_version()), factor.bound))


def regenerate(p: Protocol, call: Regenerate, version: int, bound: int, who: str) -> Steps[Result]:
    """``backup-code-regenerated``: for the authenticator that was on when it was asked for, and no later one."""
    factor, _ = yield from lock_owner(p, call.session)
    shown = yield from shown_before(call)
    if shown:
        return shown
    _check_method(factor)
    yield from confirm(version)
    _check_same(p, factor, bound)
    generation = factor.generation + 1
    code = f"{generation}{who}"
    yield from replace_backup_code(p, factor.generation, code)
    yield from erase_superseded(generation)
    outcome = yield from _show(call, code, generation)
    return outcome


def charge_removal(p: Protocol, call: Remove) -> Steps[Result]:
    """``removal-charged``."""
    factor, _ = yield from lock_owner(p, call.session)
    if factor.method == EMAIL:
        return Outcome(OK)
    return Next("authenticator-off", ((yield from read_password_version()), factor.bound))


def remove(p: Protocol, call: Remove, version: int, bound: int) -> Steps[Result]:
    """``authenticator-off``: the one that was on when it was asked for, and no later one."""
    factor, _ = yield from lock_owner(p, call.session)
    if factor.method == EMAIL:
        return Outcome(OK)
    yield from confirm(version)
    _check_same(p, factor, bound)
    yield from turn_off_authenticator(p, factor.generation)
    yield from end_setups()
    yield from erase_superseded(factor.generation + 1)
    return Outcome(OK)


def start_setup(p: Protocol, call: StartSetup) -> Steps[Result]:
    """``setup-started``: a fresh secret that changes nothing yet."""
    yield from lock_owner(p, call.session)
    yield from create_setup(call.setup, call.session)
    return Outcome(OK)


def judge_setup(p: Protocol, call: ConfirmSetup) -> Steps[Result]:
    """``setup-code-judged``: the digits, against the app's of now."""
    yield from lock_owner(p, call.session)
    shown = yield from shown_before(call)
    if shown:
        return shown
    setup = yield from _open_setup(call)
    if setup.stale:
        return Outcome("CODE_MISMATCH")
    return Next("authenticator-on")


def turn_on(p: Protocol, call: ConfirmSetup, who: str) -> Steps[Result]:
    """``authenticator-on``: secret and backup code change together."""
    factor, _ = yield from lock_owner(p, call.session)
    shown = yield from shown_before(call)
    if shown:
        return shown
    setup = yield from _open_setup(call)
    if setup.stale and p.has(Mechanism.JUDGED_AGAIN):
        return Outcome("CODE_MISMATCH")
    generation = factor.generation + 1
    code = f"{generation}{who}"
    yield from turn_on_authenticator(p, factor.generation, code)
    yield from end_setups()
    yield from erase_superseded(generation)
    outcome = yield from _show(call, code, generation)
    return outcome


def _open_setup(call: ConfirmSetup) -> Steps[Setup]:
    setup: Setup | None = yield Read(("authenticator_setups", call.setup))
    if setup is None or setup.ended or setup.session != call.session:
        raise Refused("SETUP_EXPIRED")
    return setup


def save(p: Protocol, call: Saved) -> Steps[Result]:
    """``backup-code-saved``."""
    factor, _ = yield from lock_owner(p, call.session)
    _check_method(factor)
    if call.generation != factor.generation:
        raise Refused("GENERATION_SUPERSEDED")
    yield from mark_saved(call.generation)
    yield from erase_saved(p, call.session, call.generation)
    return Outcome(OK)


def sign_out(p: Protocol, call: SignOut) -> Steps[Result]:
    """``signed-out``."""
    yield from lock_factor(p)
    yield from lock_session(p, call.session)
    yield from end_sessions(call.session)
    return Outcome(OK)


def revoke(p: Protocol, call: Revoke) -> Steps[Result]:
    """``session-revoked``: one session ends another."""
    yield from lock_owner(p, call.session)
    yield from end_sessions(call.other)
    return Outcome(OK)
