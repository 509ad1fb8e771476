"""Sessions."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from tests.storage import states
from tests.storage.databases import ask, commit, read
from tests.storage.states import HOUR, MINUTE, NOON
from twofactor_server.domain.second_factors import Proof
from twofactor_server.domain.sessions import Session
from twofactor_server.storage import accounts, sessions
from twofactor_server.storage.database import Database


async def stored(database: Database, session: Session) -> Session:
    found = await read(database, sessions.find_by_id, session.account_id, session.session_id)
    assert found is not None
    return found


async def test_a_session_is_found_by_its_token_live_or_not(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    session = await states.session(database, owner, digest=b"token")
    for function in (sessions.find, sessions.lock):
        assert await commit(database, function, owner.account_id, b"token") == session
        assert await commit(database, function, owner.account_id, b"other") is None
        assert await commit(database, function, stranger.account_id, b"token") is None
    assert await stored(database, session) == session
    assert await read(database, sessions.find_by_id, owner.account_id, uuid4()) is None
    await commit(database, sessions.end, session, NOON)
    assert await read(database, sessions.find, owner.account_id, b"token") == replace(session, end_time=NOON)


async def test_a_session_is_read_after_it_is_locked(database: Database) -> None:
    """The lock is on the session only: the account can be changed meanwhile."""
    owner = await states.account(database)
    session = await states.session(database, owner, digest=b"token")
    async with database.transaction() as tx:
        assert await sessions.lock(tx, owner.account_id, b"token")
        waiting = asyncio.create_task(commit(database, sessions.lock, owner.account_id, b"token"))
        done, _ = await asyncio.wait({waiting}, timeout=0.1)
        assert not done
        await asyncio.wait_for(commit(database, accounts.suspend, owner.account_id, NOON), 2)
        await sessions.end(tx, session, NOON)
    assert await waiting == replace(session, end_time=NOON)


async def test_a_session_has_the_accounts_current_address(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    session = await states.session(database, owner)
    await ask(database_url, "UPDATE accounts SET email = 'new@example.test' WHERE account_id = $1", owner.account_id)
    assert (await stored(database, session)).email == "new@example.test"


async def test_a_remembered_session_is_stored_as_such(database: Database) -> None:
    session = replace(states.session_record(await states.account(database)), remembered=True)
    await commit(database, sessions.create, session, uuid4(), b"a token")
    assert await stored(database, session) == session


async def test_a_live_session_is_touched_and_proved(database: Database) -> None:
    session = await states.session(database, await states.account(database))
    await commit(database, sessions.touch, session, NOON + MINUTE)
    await commit(database, sessions.set_proof, session, Proof.AUTHENTICATOR, NOON + 2 * MINUTE)
    assert await stored(database, session) == replace(
        session, last_active_time=NOON + MINUTE, proof=Proof.AUTHENTICATOR, proof_time=NOON + 2 * MINUTE
    )


async def test_an_ended_session_is_not_changed_any_more(database: Database) -> None:
    session = await states.session(database, await states.account(database))
    assert await commit(database, sessions.end, session, NOON + HOUR) is True
    assert await commit(database, sessions.end, session, NOON + 2 * HOUR) is False
    await commit(database, sessions.touch, session, NOON + 2 * HOUR)
    await commit(database, sessions.set_proof, session, Proof.AUTHENTICATOR, NOON + 2 * HOUR)
    assert await stored(database, session) == replace(session, end_time=NOON + HOUR)


async def test_all_other_sessions_are_ended(database: Database) -> None:
    """The returned ids are those that this call ended: none that had ended before, and none of another account."""
    owner, stranger = await states.account(database), await states.account(database)
    kept, live, live_too, ended = [await states.session(database, owner) for _ in range(4)]
    other = await states.session(database, stranger)
    await commit(database, sessions.end, ended, NOON)
    later = NOON + HOUR
    found = await commit(database, sessions.end_others, owner.account_id, kept.session_id, later)
    assert sorted(found) == sorted([live.session_id, live_too.session_id])
    for session, end_time in ((kept, None), (live, later), (live_too, later), (ended, NOON), (other, None)):
        assert (await stored(database, session)).end_time == end_time
    assert await commit(database, sessions.end_others, owner.account_id, kept.session_id, later) == []


async def test_all_sessions_are_ended_if_none_is_kept(database: Database) -> None:
    """Expired ones, too."""
    owner = await states.account(database)
    live, expired = [await states.session(database, owner, create_time=NOON - hours * HOUR) for hours in (0, 48)]
    found = await commit(database, sessions.end_others, owner.account_id, None, NOON)
    assert sorted(found) == sorted([live.session_id, expired.session_id])


async def test_sessions_that_are_neither_ended_nor_expired_are_listed_newest_first(database: Database) -> None:
    for owner in (await states.account(database), await states.account(database)):
        older, ended, _expired, newer = [
            await states.session(database, owner, create_time=NOON - hours * HOUR) for hours in (9, 5, 24, 1)
        ]
        await commit(database, sessions.end, ended, NOON)
        assert await read(database, sessions.list_unexpired, owner.account_id, NOON) == [newer, older]


async def test_a_session_that_ended_with_its_account_is_recognised(database: Database) -> None:
    owner = await states.account(database)
    earlier = await states.session(database, owner, digest=b"earlier")
    await states.session(database, owner, digest=b"last")
    await commit(database, sessions.end, earlier, NOON)
    assert not await read(database, sessions.ended_with_account, owner.account_id, b"last")
    await commit(database, sessions.end_others, owner.account_id, None, NOON + HOUR)
    await commit(database, accounts.close, owner.account_id, NOON + HOUR)
    for digest, expected in ((b"last", True), (b"earlier", False), (b"unknown", False)):
        assert await read(database, sessions.ended_with_account, owner.account_id, digest) is expected
