"""Sealed replies: found by the call that is repeated, erased by what supersedes it and by nothing else."""

from dataclasses import replace
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from tests.storage import states
from twofactor_server.storage import replies
from twofactor_server.storage.database import Database
from twofactor_server.storage.replies import Reply


async def kept(database: Database, *records: Reply) -> None:
    for record in records:
        await database.transact(partial(replies.keep, reply=record))


async def found(database: Database, reply: Reply) -> Reply | None:
    look = partial(replies.find, account_id=reply.account_id, scope_id=reply.scope_id, request_id=reply.request_id)
    return await database.read(look)


async def erased(database: Database, *records: Reply) -> list[bool]:
    """Which of them are erased. The rows stay in either case."""
    stored = [await found(database, record) for record in records]
    assert [replace(record, sealed=b"sealed") for record in stored if record] == list(records)
    return [record is not None and record.sealed is None for record in stored]


async def test_a_reply_is_found_by_account_scope_and_request(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    reply = states.reply(owner)
    await kept(database, reply)
    assert await found(database, reply) == reply
    for other in (
        replace(reply, account_id=stranger.account_id),
        replace(reply, scope_id=uuid4()),
        replace(reply, request_id=uuid4()),
    ):
        assert await found(database, other) is None


async def test_a_logical_call_is_answered_once(database: Database) -> None:
    reply = states.reply(await states.account(database))
    await kept(database, reply)
    with pytest.raises(IntegrityError):
        await kept(database, replace(reply, generation=2))
    assert await found(database, reply) == reply


async def test_a_newer_generation_erases_the_older_replies_only(database: Database) -> None:
    """What they hold is dead. Replies without a code in them, and other accounts', stay."""
    owner, stranger = await states.account(database), await states.account(database)
    old, current, codeless = (states.reply(owner, generation=g) for g in (1, 2, None))
    others = states.reply(stranger, generation=1)
    await kept(database, old, current, codeless, others)
    await database.transact(partial(replies.erase_superseded, account_id=owner.account_id, generation=2))
    assert await erased(database, old, current, codeless, others) == [True, False, False, False]


async def test_saved_from_one_session_erases_that_sessions_reply_only(database: Database) -> None:
    """(✗ it destroyed the only copy for the device that had lost the answer.)"""
    owner = await states.account(database)
    session_id = uuid4()
    own, own_older = (states.reply(owner, session_id=session_id, generation=g) for g in (2, 1))
    elsewhere = states.reply(owner, generation=2)
    await kept(database, own, own_older, elsewhere)
    saved = partial(replies.erase_saved, account_id=owner.account_id, session_id=session_id, generation=2)
    await database.transact(saved)
    assert await erased(database, own, own_older, elsewhere) == [True, False, False]


async def test_a_session_that_ends_takes_all_its_replies_along(database: Database) -> None:
    owner = await states.account(database)
    session_id = uuid4()
    own = [states.reply(owner, session_id=session_id, generation=g) for g in (1, 2, None)]
    elsewhere = states.reply(owner)
    await kept(database, *own, elsewhere)
    await database.transact(partial(replies.erase_of_session, account_id=owner.account_id, session_id=session_id))
    assert await erased(database, *own, elsewhere) == [True, True, True, False]


async def test_sessions_that_end_together_take_all_their_replies_along(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    ended = [uuid4(), uuid4()]
    own = [states.reply(owner, session_id=session_id) for session_id in ended]
    others = [states.reply(owner), states.reply(stranger, session_id=ended[0])]
    await kept(database, *own, *others)
    for session_ids in (ended, []):
        await database.transact(
            partial(replies.erase_of_sessions, account_id=owner.account_id, session_ids=session_ids)
        )
        assert await erased(database, *own, *others) == [True, True, False, False]
