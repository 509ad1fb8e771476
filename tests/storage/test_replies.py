"""Sealed replies: found by the repeated call, and erased once they are superseded, saved or their session ends."""

from dataclasses import replace
from uuid import uuid4

import asyncpg
import pytest

from tests.storage import states
from tests.storage.databases import commit, read
from twofactor_server.storage import replies
from twofactor_server.storage.database import Database
from twofactor_server.storage.replies import Reply


async def store(database: Database, *records: Reply) -> None:
    for record in records:
        await commit(database, replies.store, record)


async def found(database: Database, reply: Reply) -> Reply | None:
    return await read(database, replies.find, reply.account_id, reply.scope_id, reply.request_id)


async def erased(database: Database, *records: Reply) -> list[bool]:
    """Which of them are erased. Their rows must all be there."""
    stored = [await found(database, record) for record in records]
    assert [replace(record, sealed=b"sealed") for record in stored if record] == list(records)
    return [record is not None and record.sealed is None for record in stored]


async def test_a_reply_is_found_by_account_scope_and_request(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    reply = states.reply(owner)
    await store(database, reply)
    assert await found(database, reply) == reply
    for other in (
        replace(reply, account_id=stranger.account_id),
        replace(reply, scope_id=uuid4()),
        replace(reply, request_id=uuid4()),
    ):
        assert await found(database, other) is None


async def test_a_request_has_one_reply(database: Database) -> None:
    reply = states.reply(await states.account(database))
    await store(database, reply)
    with pytest.raises(asyncpg.UniqueViolationError):
        await store(database, replace(reply, generation=2))
    assert await found(database, reply) == reply


async def test_a_newer_generation_erases_the_replies_with_older_ones(database: Database) -> None:
    """Replies without a backup code, and those of other accounts, stay."""
    owner, stranger = await states.account(database), await states.account(database)
    older, current, without_code = (states.reply(owner, generation=g) for g in (1, 2, None))
    others = states.reply(stranger, generation=1)
    await store(database, older, current, without_code, others)
    await commit(database, replies.erase_superseded, owner.account_id, 2)
    assert await erased(database, older, current, without_code, others) == [True, False, False, False]


async def test_a_saved_code_is_erased_from_the_replies_of_its_session_only(database: Database) -> None:
    """Otherwise the only copy for a device that lost its answer would be destroyed."""
    owner = await states.account(database)
    session_id = uuid4()
    own, own_older = (states.reply(owner, session_id=session_id, generation=g) for g in (2, 1))
    other_session = states.reply(owner, generation=2)
    await store(database, own, own_older, other_session)
    await commit(database, replies.erase_saved, owner.account_id, session_id, 2)
    assert await erased(database, own, own_older, other_session) == [True, False, False]


async def test_all_replies_of_an_ended_session_are_erased(database: Database) -> None:
    owner = await states.account(database)
    session_id = uuid4()
    own = [states.reply(owner, session_id=session_id, generation=g) for g in (1, 2, None)]
    other_session = states.reply(owner)
    await store(database, *own, other_session)
    await commit(database, replies.erase_for_session, owner.account_id, session_id)
    assert await erased(database, *own, other_session) == [True, True, True, False]


async def test_all_replies_of_several_ended_sessions_are_erased(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    ended = [uuid4(), uuid4()]
    own = [states.reply(owner, session_id=session_id) for session_id in ended]
    others = [states.reply(owner), states.reply(stranger, session_id=ended[0])]
    await store(database, *own, *others)
    for session_ids, expected in (([], False), (ended, True)):
        await commit(database, replies.erase_for_sessions, owner.account_id, session_ids)
        assert await erased(database, *own, *others) == [expected, expected, False, False]
