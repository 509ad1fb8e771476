"""The database statements of the flows, guarded as in the server's ``storage`` package."""

from collections.abc import Callable
from typing import Any

from model.database import Find, Insert, Read, Steps, Update, UpdateAll, Violated
from model.mechanisms import Context, Mechanism
from model.rows import (
    ACCOUNT,
    AUTHENTICATOR,
    EMAIL,
    FACTOR,
    Account,
    Attempt,
    Challenge,
    Code,
    Factor,
    Key,
    Reply,
    Session,
    Setup,
    Spent,
)

MAX_ATTEMPTS = 5


class StaleState(Exception):
    """A guarded write found another state than the lock had shown. The transaction rolls back."""


INTERNAL_ERRORS = (Violated, StaleState)
"""Errors that the server answers INTERNAL: a bug, or a lock that failed."""


def lock_factor(ctx: Context) -> Steps[Factor]:
    """The account's second-factor row, locked and then read. Every transaction begins with it."""
    factor: Factor = yield Read(FACTOR, lock=ctx.has(Mechanism.ROW_LOCK))
    return factor


def lock_factor_and_challenge(ctx: Context, number: int) -> Steps[tuple[Factor, Challenge]]:
    factor = yield from lock_factor(ctx)
    challenge: Challenge = yield Read(("challenges", number), lock=ctx.has(Mechanism.ROW_LOCK))
    return factor, challenge


def lock_factor_and_session(ctx: Context, number: int) -> Steps[tuple[Factor, Session | None]]:
    factor = yield from lock_factor(ctx)
    session: Session | None = yield Read(("sessions", number), lock=ctx.has(Mechanism.ROW_LOCK))
    return factor, session


def read_account() -> Steps[Account]:
    account: Account = yield Read(ACCOUNT)
    return account


def read_password_version() -> Steps[int]:
    return (yield from read_account()).password_version


def find_reply(scope: str, request: str) -> Steps[Reply | None]:
    """The stored reply to this request_id, erased or not."""
    reply: Reply | None = yield Read(("replies", scope, request))
    return reply


def store_reply(scope: str, request: str, reply: Reply) -> Steps[None]:
    yield Insert(("replies", scope, request), reply)


def _erase(where: Callable[[Reply], bool], reason: Callable[[Reply], str]) -> UpdateAll:
    def erasable(_: Key, reply: Reply) -> bool:
        return reply.erased is None and where(reply)

    def erased(_: Key, reply: Reply) -> Reply:
        return reply._replace(erased=reason(reply))

    return UpdateAll("replies", erasable, erased)


def erase_superseded(generation: int) -> Steps[None]:
    """Erase the replies with a code older than ``generation``."""
    yield _erase(lambda reply: (reply.generation or generation) < generation, lambda _: "superseded")


def erase_saved(ctx: Context, session: int, generation: int) -> Steps[None]:
    """Erase the replies with this generation's code that belong to the session."""
    any_session = not ctx.has(Mechanism.ERASE_OWN_ONLY)
    yield _erase(
        lambda reply: reply.generation == generation and (any_session or reply.session == session),
        lambda reply: "saved" if reply.session == session else "saved elsewhere",
    )


def find_attempt(ctx: Context, challenge: int, code: Code) -> Steps[Attempt | None]:
    """This code's attempt on this challenge."""
    if not ctx.has(Mechanism.CHARGE_ONCE):
        return None
    attempt: Attempt | None = yield Read(("backup_code_attempts", challenge, code))
    return attempt


def count_attempt(ctx: Context, number: int) -> Steps[bool]:
    """Count one attempt on the challenge; False if there was none left."""
    guarded = ctx.has(Mechanism.GUARDED_CHARGE)
    counted: Challenge | None = yield Update(
        ("challenges", number),
        lambda row: not guarded or row.attempts < MAX_ATTEMPTS,
        lambda row: row._replace(attempts=row.attempts + 1),
        (lambda row: row.attempts <= MAX_ATTEMPTS) if ctx.has(Mechanism.ATTEMPTS_CHECK) else None,
    )
    return counted is not None


def record_attempt(ctx: Context, challenge: int, code: Code, attempt: Attempt) -> Steps[None]:
    """Insert the attempt. Without its unique key, a second one replaces the first, as the model keeps one row."""
    key: Key = ("backup_code_attempts", challenge, code)
    try:
        yield Insert(key, attempt)
    except Violated:
        if ctx.has(Mechanism.ATTEMPT_KEY):
            raise
        yield Update(key, lambda _: True, lambda _: attempt)


def finalize_attempt(challenge: int, code: Code, attempt: Attempt) -> Steps[None]:
    """Give the pending attempt its verdict; a final verdict never changes."""
    yield Update(("backup_code_attempts", challenge, code), lambda row: row.verdict == "pending", lambda _: attempt)


def is_spent(code: Code) -> Steps[bool]:
    found: tuple[Any, ...] = yield Find("spent_backup_codes", lambda _, row: bool(row.code == code))
    return bool(found)


def is_generation_spent(generation: int) -> Steps[bool]:
    found: tuple[Any, ...] = yield Find("spent_backup_codes", lambda key, _: key[1] == generation)
    return bool(found)


def spend(ctx: Context, generation: int, code: Code) -> Steps[None]:
    """Record the generation as spent. Violated if it was spent before and the primary key is in place."""
    key: Key = ("spent_backup_codes", generation)
    yield Insert(key if ctx.has(Mechanism.SPENT_KEY) else (*key, ctx.execution), Spent(code))


def _update_factor(ctx: Context, guard: Callable[[Factor], bool], change: Callable[[Factor], Factor]) -> Steps[None]:
    guarded = ctx.has(Mechanism.GUARDED_WRITE)
    changed = yield Update(FACTOR, lambda row: not guarded or guard(row), change)
    if changed is None:
        raise StaleState


def replace_backup_code(ctx: Context, generation: int, code: Code) -> Steps[None]:
    """Replace the code of ``generation`` by that of the next one."""
    yield from _update_factor(
        ctx,
        lambda row: row.generation == generation and row.method == AUTHENTICATOR,
        lambda row: row._replace(generation=row.generation + 1, code=code, saved=False),
    )


def turn_on_authenticator(ctx: Context, generation: int, code: Code) -> Steps[None]:
    """A new secret and a new backup code in one write."""
    yield from _update_factor(
        ctx,
        lambda row: row.generation == generation,
        lambda row: Factor(AUTHENTICATOR, row.generation + 1, code, False, 1, row.enrolment + 1),
    )


def turn_off_authenticator(ctx: Context, generation: int) -> Steps[None]:
    """Back to e-mail codes. The generation keeps its value, unless that mechanism is removed."""
    monotonic = ctx.has(Mechanism.MONOTONIC_GENERATION)
    yield from _update_factor(
        ctx,
        lambda row: row.generation == generation and row.method == AUTHENTICATOR,
        lambda row: Factor(EMAIL, row.generation if monotonic else 0, None, False, 0, row.enrolment),
    )


def void_challenges(ctx: Context, started_by: int | None = None) -> Steps[None]:
    """Void the open challenges: all of them, or those that one identity started."""
    if ctx.has(Mechanism.VOID_CHALLENGES):
        yield UpdateAll(
            "challenges",
            lambda _, row: started_by in (None, row.started_by) and not (row.completed or row.void),
            lambda _, row: row._replace(void=True),
        )


def accept_step(step: int) -> Steps[None]:
    """Record the authenticator's time step as used."""
    accepted = yield Update(FACTOR, lambda row: row.last_step < step, lambda row: row._replace(last_step=step))
    if accepted is None:
        raise StaleState


def mark_saved(generation: int) -> Steps[None]:
    yield Update(
        FACTOR, lambda row: row.generation == generation and not row.saved, lambda row: row._replace(saved=True)
    )


def complete_challenge(ctx: Context, number: int) -> Steps[None]:
    """Complete an open challenge; any other raises StaleState."""
    guarded = ctx.has(Mechanism.COMPLETION_GUARD)
    completed = yield Update(
        ("challenges", number),
        lambda row: not guarded or not (row.completed or row.void),
        lambda row: row._replace(completed=True),
    )
    if completed is None:
        raise StaleState


def create_session(ctx: Context, session: Session) -> Steps[None]:
    """Insert the challenge's session. Violated if there is one and the key is in place."""
    key: Key = ("sessions", session.challenge)
    yield Insert(key if ctx.has(Mechanism.SESSION_KEY) else (*key, ctx.execution), session)


def end_sessions(*numbers: int) -> Steps[None]:
    """End the sessions and erase their replies."""
    yield UpdateAll(
        "sessions",
        lambda _, row: row.challenge in numbers and not row.ended,
        lambda _, row: row._replace(ended=True),
    )
    yield _erase(lambda reply: reply.session in numbers, lambda _: "session ended")


def end_other_sessions(session: int | None = None) -> Steps[None]:
    """End every live session but this one."""
    found = yield Find("sessions", lambda _, row: not row.ended and row.challenge != session)
    yield from end_sessions(*(row.challenge for _, row in found))


def end_setups() -> Steps[None]:
    yield UpdateAll("authenticator_setups", lambda _, row: not row.ended, lambda _, row: row._replace(ended=True))


def create_setup(number: int, session: int) -> Steps[None]:
    """Insert a setup and end the open one. A repeated call overwrites its own row, which keeps the state small."""
    yield from end_setups()
    key: Key = ("authenticator_setups", number)
    if (yield Update(key, lambda _: True, lambda _: Setup(session))) is None:
        yield Insert(key, Setup(session))
