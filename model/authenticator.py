"""What a signed-in owner changes of the second factor: setup, removal, a new backup code, "I have saved it"."""

from model import statements
from model.calls import (
    OK,
    ConfirmAuthenticatorSetup,
    ConfirmBackupCodeSaved,
    Next,
    Outcome,
    RegenerateBackupCode,
    RemoveAuthenticator,
    Result,
    StartAuthenticatorSetup,
)
from model.database import Read, Refused, Steps
from model.mechanisms import Context, Mechanism
from model.rows import AUTHENTICATOR, EMAIL, Factor, Setup
from model.sessions import check_password_version, find_stored, lock_live_session, store_and_answer


def _check_method(factor: Factor) -> None:
    if factor.method != AUTHENTICATOR:
        raise Refused("METHOD_NOT_ACTIVE")


def _check_same_authenticator(ctx: Context, factor: Factor, enrolment: int) -> None:
    if factor.enrolment != enrolment and ctx.has(Mechanism.SAME_AUTHENTICATOR):
        raise Refused("CONFLICT")


def charge_regeneration(ctx: Context, call: RegenerateBackupCode) -> Steps[Result]:
    """``regeneration-charged``: a stored reply, or the password to verify."""
    factor = yield from lock_live_session(ctx, call.session)
    stored = yield from find_stored(call)
    if stored:
        return stored
    _check_method(factor)
    return Next("backup-code-regenerated", ((yield from statements.read_password_version()), factor.enrolment))


def regenerate(ctx: Context, call: RegenerateBackupCode, version: int, enrolment: int) -> Steps[Result]:
    """``backup-code-regenerated``: only for the authenticator that was on when the call began."""
    factor = yield from lock_live_session(ctx, call.session)
    stored = yield from find_stored(call)
    if stored:
        return stored
    _check_method(factor)
    yield from check_password_version(version)
    _check_same_authenticator(ctx, factor, enrolment)
    generation = factor.generation + 1
    code = ctx.new_code(generation)
    yield from statements.replace_backup_code(ctx, factor.generation, code)
    yield from statements.erase_superseded(generation)
    return (yield from store_and_answer(call, code, generation))


def charge_removal(ctx: Context, call: RemoveAuthenticator) -> Steps[Result]:
    """``removal-charged``: nothing to remove, or the password to verify."""
    factor = yield from lock_live_session(ctx, call.session)
    if factor.method == EMAIL:
        return Outcome(OK)
    return Next("authenticator-off", ((yield from statements.read_password_version()), factor.enrolment))


def remove(ctx: Context, call: RemoveAuthenticator, version: int, enrolment: int) -> Steps[Result]:
    """``authenticator-off``: only the authenticator that was on when the call began."""
    factor = yield from lock_live_session(ctx, call.session)
    if factor.method == EMAIL:
        return Outcome(OK)
    yield from check_password_version(version)
    _check_same_authenticator(ctx, factor, enrolment)
    yield from statements.turn_off_authenticator(ctx, factor.generation)
    yield from statements.end_setups()
    yield from statements.erase_superseded(factor.generation + 1)
    return Outcome(OK)


def start_setup(ctx: Context, call: StartAuthenticatorSetup) -> Steps[Result]:
    """``setup-started``: a new secret, not in use yet."""
    yield from lock_live_session(ctx, call.session)
    yield from statements.create_setup(call.setup, call.session)
    return Outcome(OK)


def verify_setup_code(ctx: Context, call: ConfirmAuthenticatorSetup) -> Steps[Result]:
    """``setup-code-verified``: the code is compared with the app's current one."""
    yield from lock_live_session(ctx, call.session)
    stored = yield from find_stored(call)
    if stored:
        return stored
    setup = yield from _read_open_setup(call)
    if setup.stale:
        return Outcome("CODE_MISMATCH")
    return Next("authenticator-on")


def turn_on(ctx: Context, call: ConfirmAuthenticatorSetup) -> Steps[Result]:
    """``authenticator-on``: secret and backup code change together."""
    factor = yield from lock_live_session(ctx, call.session)
    stored = yield from find_stored(call)
    if stored:
        return stored
    setup = yield from _read_open_setup(call)
    if setup.stale and ctx.has(Mechanism.SETUP_REVERIFIED):
        return Outcome("CODE_MISMATCH")
    generation = factor.generation + 1
    code = ctx.new_code(generation)
    yield from statements.turn_on_authenticator(ctx, factor.generation, code)
    yield from statements.end_setups()
    yield from statements.erase_superseded(generation)
    return (yield from store_and_answer(call, code, generation))


def _read_open_setup(call: ConfirmAuthenticatorSetup) -> Steps[Setup]:
    setup: Setup | None = yield Read(("authenticator_setups", call.setup))
    if setup is None or setup.ended or setup.session != call.session:
        raise Refused("SETUP_EXPIRED")
    return setup


def confirm_saved(ctx: Context, call: ConfirmBackupCodeSaved) -> Steps[Result]:
    """``backup-code-saved``."""
    factor = yield from lock_live_session(ctx, call.session)
    _check_method(factor)
    if call.generation != factor.generation:
        raise Refused("GENERATION_SUPERSEDED")
    yield from statements.mark_saved(call.generation)
    yield from statements.erase_saved(ctx, call.session, call.generation)
    return Outcome(OK)
