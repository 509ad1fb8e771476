"""What the programs say to the database; named and guarded as in the server's ``storage`` package."""

from typing import Any

from model.database import Find, Insert, Read, Steps, Update, UpdateAll, Violated
from model.mechanisms import Mechanism, Protocol
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

ATTEMPTS = 5


class GuardMissed(Exception):
    """A guarded change met another state than its lock had shown. The transaction rolls back."""


def lock_factor(p: Protocol) -> Steps[Factor]:
    """The account's row: locked, then read."""
    factor: Factor = yield Read(FACTOR, lock=p.has(Mechanism.ROW_LOCK))
    return factor


def lock_challenge(p: Protocol, number: int) -> Steps[Challenge]:
    """The challenge, after the account's row."""
    challenge: Challenge = yield Read(("challenges", number), lock=p.has(Mechanism.ROW_LOCK))
    return challenge


def lock_session(p: Protocol, number: int) -> Steps[Session | None]:
    """The session, after the account's row."""
    session: Session | None = yield Read(("sessions", number), lock=p.has(Mechanism.ROW_LOCK))
    return session


def read_password_version() -> Steps[int]:
    """How often the password was changed."""
    account: Account = yield Read(ACCOUNT)
    return account.password_version


def find_reply(scope: str, request: str) -> Steps[Reply | None]:
    """The reply to this logical call, erased or not."""
    reply: Reply | None = yield Read(("replies", scope, request))
    return reply


def keep_reply(scope: str, request: str, reply: Reply) -> Steps[None]:
    """Write the reply beside the change that it answers."""
    yield Insert(("replies", scope, request), reply)


def _erase(where: Any, why: Any) -> UpdateAll:
    def erasable(_: Key, reply: Reply) -> bool:
        return reply.erased is None and bool(where(reply))

    def erased(_: Key, reply: Reply) -> Reply:
        return reply._replace(erased=why(reply))

    return UpdateAll("replies", erasable, erased)


def erase_superseded(generation: int) -> Steps[None]:
    """Erase the replies with a code older than ``generation``."""
    yield _erase(lambda reply: (reply.generation or generation) < generation, lambda _: "superseded")


def erase_saved(p: Protocol, session: int, generation: int) -> Steps[None]:
    """Erase the saving session's replies with this generation, and no other's."""
    yield _erase(
        lambda reply: (
            reply.generation == generation and (reply.session == session or not p.has(Mechanism.ERASE_OWN_ONLY))
        ),
        lambda reply: "saved" if reply.session == session else "saved elsewhere",
    )


def erase_of_sessions(*sessions: int) -> Steps[None]:
    """Erase every reply of the sessions that end."""
    yield _erase(lambda reply: reply.session in sessions, lambda _: "session ended")


def find_attempt(p: Protocol, challenge: int, code: Code) -> Steps[Attempt | None]:
    """This code's attempt on this challenge. Without "charge once" nobody looks."""
    if not p.has(Mechanism.CHARGE_ONCE):
        return None
    attempt: Attempt | None = yield Read(("backup_code_attempts", challenge, code))
    return attempt


def charge_attempt(p: Protocol, number: int) -> Steps[int | None]:
    """Charge one attempt: how many are left; None if there was none left."""
    guarded = p.has(Mechanism.GUARDED_CHARGE)
    charged: Challenge | None = yield Update(
        ("challenges", number),
        lambda row: not guarded or row.attempts < ATTEMPTS,
        lambda row: row._replace(attempts=row.attempts + 1),
        (lambda row: row.attempts <= ATTEMPTS) if p.has(Mechanism.ATTEMPTS_CHECK) else None,
    )
    return None if charged is None else ATTEMPTS - charged.attempts


def add_attempt(p: Protocol, challenge: int, code: Code, attempt: Attempt) -> Steps[None]:
    """Record the charged attempt; without its key, once more is as good as once."""
    key: Key = ("backup_code_attempts", challenge, code)
    try:
        yield Insert(key, attempt)
    except Violated:
        if p.has(Mechanism.ATTEMPT_KEY):
            raise
        yield Update(key, lambda _: True, lambda _: attempt)


def settle(challenge: int, code: Code, attempt: Attempt) -> Steps[None]:
    """Give the pending attempt its verdict; a settled one never changes again."""
    yield Update(("backup_code_attempts", challenge, code), lambda row: row.verdict == "pending", lambda _: attempt)


def spent(code: Code) -> Steps[bool]:
    """Whether the code is among the account's spent ones."""
    found: tuple[Any, ...] = yield Find("spent_backup_codes", lambda _, row: bool(row.code == code))
    return bool(found)


def generation_spent(generation: int) -> Steps[bool]:
    """Whether the generation was used."""
    found: tuple[Any, ...] = yield Find("spent_backup_codes", lambda key, _: key[1] == generation)
    return bool(found)


def spend(p: Protocol, generation: int, code: Code, who: str) -> Steps[None]:
    """Spend the generation. Violated, if it was spent before and the primary key is in place."""
    key: Key = ("spent_backup_codes", generation)
    yield Insert(key if p.has(Mechanism.SPENT_KEY) else (*key, who), Spent(code))


def replace_backup_code(p: Protocol, generation: int, code: Code) -> Steps[None]:
    """The code of ``generation`` gives way to the next one."""

    def expected(row: Factor) -> bool:
        return row.generation == generation and row.method == AUTHENTICATOR

    yield from _change(p, expected, lambda row: row._replace(generation=row.generation + 1, code=code, saved=False))


def turn_on_authenticator(p: Protocol, generation: int, code: Code) -> Steps[None]:
    """A new secret and a new backup code together."""
    yield from _change(
        p,
        lambda row: bool(row.generation == generation),
        lambda row: Factor(AUTHENTICATOR, row.generation + 1, code, False, 1, row.bound + 1),
    )


def turn_off_authenticator(p: Protocol, generation: int) -> Steps[None]:
    """Back to e-mail codes. The generation's number stays (or, without that mechanism, starts again)."""
    kept = p.has(Mechanism.MONOTONIC_GENERATION)
    yield from _change(
        p,
        lambda row: bool(row.generation == generation and row.method == AUTHENTICATOR),
        lambda row: Factor(EMAIL, row.generation if kept else 0, None, False, 0, row.bound),
    )


def void_challenges(p: Protocol) -> Steps[None]:
    """Whatever sign-in is open is void."""
    if p.has(Mechanism.VOID_CHALLENGES):
        yield UpdateAll(
            "challenges", lambda _, row: not (row.completed or row.void), lambda _, row: row._replace(void=True)
        )


def accept_step(step: int) -> Steps[None]:
    """Spend the authenticator's step."""
    accepted = yield Update(FACTOR, lambda row: row.last_step < step, lambda row: row._replace(last_step=step))
    if accepted is None:
        raise GuardMissed


def mark_saved(generation: int) -> Steps[None]:
    """The owner saved the code of this generation."""
    yield Update(
        FACTOR, lambda row: row.generation == generation and not row.saved, lambda row: row._replace(saved=True)
    )


def complete(p: Protocol, number: int) -> Steps[None]:
    """The challenge is completed, once; a completed or voided one: GuardMissed."""
    guarded = p.has(Mechanism.COMPLETION_GUARD)
    done = yield Update(
        ("challenges", number),
        lambda row: not guarded or not (row.completed or row.void),
        lambda row: row._replace(completed=True),
    )
    if done is None:
        raise GuardMissed


def create_session(p: Protocol, session: Session, who: str) -> Steps[None]:
    """The challenge's session. A second one: Violated, if the key is in place."""
    key: Key = ("sessions", session.challenge)
    yield Insert(key if p.has(Mechanism.SESSION_KEY) else (*key, who), session)


def end_sessions(*numbers: int) -> Steps[None]:
    """End the sessions, and erase their replies."""
    yield UpdateAll(
        "sessions",
        lambda _, row: row.challenge in numbers and not row.ended,
        lambda _, row: row._replace(ended=True),
    )
    yield from erase_of_sessions(*numbers)


def end_setups() -> Steps[None]:
    """End whatever setup is open."""
    yield UpdateAll("authenticator_setups", lambda _, row: not row.ended, lambda _, row: row._replace(ended=True))


def create_setup(number: int, session: int) -> Steps[None]:
    """A fresh setup; an older open one is ended. Started again, it is as good as another one."""
    yield from end_setups()
    key: Key = ("authenticator_setups", number)
    if (yield Update(key, lambda _: True, lambda _: Setup(session))) is None:
        yield Insert(key, Setup(session))


def _change(p: Protocol, expected: Any, change: Any) -> Steps[None]:
    guarded = p.has(Mechanism.GUARDED_WRITE)
    changed = yield Update(FACTOR, lambda row: not guarded or expected(row), change)
    if changed is None:
        raise GuardMissed
