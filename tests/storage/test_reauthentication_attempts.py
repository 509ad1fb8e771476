"""Re-authentications tried in a session."""

from collections.abc import Awaitable, Callable
from typing import Any

from tests.storage import states
from tests.storage.databases import commit
from twofactor_server.domain.sessions import Session
from twofactor_server.storage import reauthentication_attempts as attempts
from twofactor_server.storage.database import Database

Try = Callable[..., Awaitable[Any]]


def attempts_in(database: Database, session: Session) -> Try:
    """Calls a function for this session, in a transaction of its own."""

    async def call(function: Any, *args: Any) -> Any:
        return await commit(database, function, session, *args)

    return call


async def new_session(database: Database) -> Try:
    return attempts_in(database, await states.session(database, await states.account(database)))


async def test_the_same_attempt_repeated_counts_once(database: Database) -> None:
    call = await new_session(database)
    assert await call(attempts.find_verdict, b"first", 1) is None
    for fingerprint in (b"first", b"first", b"second"):
        await call(attempts.charge, fingerprint, 1)
    assert await call(attempts.find_verdict, b"first", 1) == "pending"
    assert (await call(attempts.count), await call(attempts.count_wrong)) == (2, 0)
    await call(attempts.mark_wrong, b"first")
    assert await call(attempts.find_verdict, b"first", 1) == "wrong"
    assert (await call(attempts.count), await call(attempts.count_wrong)) == (2, 1)


async def test_an_attempt_against_an_older_password_is_charged_again(database: Database) -> None:
    """It was wrong then; the password may have been changed to this one since."""
    call = await new_session(database)
    await call(attempts.charge, b"first", 1)
    await call(attempts.mark_wrong, b"first")
    assert await call(attempts.find_verdict, b"first", 2) is None
    await call(attempts.charge, b"first", 2)
    assert await call(attempts.find_verdict, b"first", 2) == "pending"
    assert (await call(attempts.count), await call(attempts.count_wrong)) == (1, 0)


async def test_a_cancelled_attempt_does_not_count(database: Database) -> None:
    """Only a pending one can be cancelled; a wrong one stays."""
    call = await new_session(database)
    for fingerprint in (b"pending", b"wrong", b"other"):
        await call(attempts.charge, fingerprint, 1)
    await call(attempts.mark_wrong, b"wrong")
    for fingerprint in (b"pending", b"wrong", b"unknown"):
        await call(attempts.cancel, fingerprint)
    assert (await call(attempts.count), await call(attempts.count_wrong)) == (2, 1)


async def test_attempts_are_cleared_in_their_own_session_only(database: Database) -> None:
    owner = await states.account(database)
    cleared, kept = [attempts_in(database, await states.session(database, owner)) for _ in range(2)]
    for call in (cleared, kept):
        await call(attempts.charge, b"wrong", 1)
    await cleared(attempts.clear)
    assert (await cleared(attempts.count), await kept(attempts.count)) == (0, 1)
