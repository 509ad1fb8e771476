"""Housekeeping: what is erased, what is deleted, and what is kept."""

from collections.abc import AsyncIterator
from datetime import datetime

import pytest_asyncio

from tests.storage import states
from tests.storage.databases import ask, commit, migrated_database, rows
from tests.storage.states import HOUR, MINUTE, NOON, SECOND
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage import (
    authenticator_setups,
    backup_codes,
    first_factor_failures,
    housekeeping,
    mailed_links,
    outbox,
    reauthentication_attempts,
    replies,
    second_factor_failures,
)
from twofactor_server.storage.backup_codes import AttemptVerdict
from twofactor_server.storage.database import Database
from twofactor_server.storage.housekeeping import RETENTION


@pytest_asyncio.fixture
async def database_url(postgres: EmbeddedPostgres) -> str:
    """A database for each test: housekeeping works on all of it."""
    return await migrated_database(postgres)


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url, pool_size=2)
    yield database
    await database.close()


async def counts(url: str, *tables: str) -> dict[str, int]:
    return {table: await ask(url, f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608 - our tables


async def test_expired_secrets_are_erased_and_their_rows_stay(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    reply, setup, link = states.reply(owner), states.setup(owner), states.link(owner, secret=b"sealed")
    await commit(database, replies.store, reply)
    await commit(database, authenticator_setups.create, owner.account_id, setup, NOON)
    await commit(database, mailed_links.create, link, b"token")

    async def stored(now: datetime) -> list[object]:
        await commit(database, housekeeping.erase_expired, now)
        (setup_row,) = await rows(database_url, "SELECT totp_secret, end_time FROM authenticator_setups")
        return [
            *setup_row,
            await ask(database_url, "SELECT totp_secret FROM mailed_links"),
            await ask(database_url, "SELECT sealed FROM replies"),
        ]

    assert await stored(setup.expire_time - SECOND) == [b"sealed", None, b"sealed", b"sealed"]
    assert await stored(setup.expire_time) == [None, setup.expire_time, b"sealed", b"sealed"]
    assert await stored(link.expire_time - SECOND) == [None, setup.expire_time, b"sealed", b"sealed"]
    assert await stored(link.expire_time) == [None, setup.expire_time, None, b"sealed"]
    assert await stored(reply.expire_time - SECOND) == [None, setup.expire_time, None, b"sealed"]
    assert await stored(reply.expire_time) == [None, setup.expire_time, None, None]


async def test_a_setup_that_ended_early_keeps_its_end_time(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    await commit(database, authenticator_setups.create, owner.account_id, states.setup(owner), NOON)
    await commit(database, authenticator_setups.end_all, owner.account_id, NOON + MINUTE)
    await commit(database, housekeeping.erase_expired, NOON + 24 * HOUR)
    assert await ask(database_url, "SELECT end_time FROM authenticator_setups") == NOON + MINUTE


async def test_a_challenge_is_deleted_after_its_reply(database: Database, database_url: str) -> None:
    """A repeated call finds its reply through the challenge. Attempts are deleted with their challenge."""
    owner = await states.account(database)
    challenge, unanswered = [await states.challenge(database, owner) for _ in range(2)]
    reply = states.reply(owner, scope_id=challenge.challenge_id)
    await commit(database, replies.store, reply)
    await commit(database, backup_codes.add_attempt, unanswered, b"code", AttemptVerdict.WRONG, "", NOON)
    left = []
    for now in (
        unanswered.expire_time - SECOND,
        unanswered.expire_time,
        reply.expire_time - SECOND,
        reply.expire_time,
    ):
        await commit(database, housekeeping.purge, now + RETENTION)
        left.append(await rows(database_url, "SELECT challenge_id FROM challenges ORDER BY challenge_id"))
    both = sorted([(challenge.challenge_id,), (unanswered.challenge_id,)])
    assert left == [both, [(challenge.challenge_id,)], [(challenge.challenge_id,)], []]
    assert await counts(database_url, "replies", "backup_code_attempts") == {"replies": 0, "backup_code_attempts": 0}


async def test_a_session_is_deleted_after_its_replies(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    session = await states.session(database, owner)
    reply = states.reply(owner, session_id=session.session_id, create_time=NOON + 23 * HOUR)
    await commit(database, replies.store, reply)
    await commit(database, housekeeping.purge, session.expire_time + RETENTION)
    assert await counts(database_url, "sessions", "replies") == {"sessions": 1, "replies": 1}
    await commit(database, housekeeping.purge, reply.expire_time + RETENTION)
    assert await counts(database_url, "sessions", "replies") == {"sessions": 0, "replies": 0}


async def test_rows_are_deleted_thirty_days_after_they_expired(database: Database, database_url: str) -> None:
    """A mail without a delivery is kept: its payload is erased first, when it expires."""
    owner = await states.account(database)
    session = await states.session(database, owner)
    await commit(database, reauthentication_attempts.charge, session, b"x", 1)
    await commit(database, authenticator_setups.create, owner.account_id, states.setup(owner), NOON)
    await commit(database, mailed_links.create, states.link(owner), b"token")
    delivered, waiting = states.mail(owner), states.mail(owner)
    for mail in (delivered, waiting):
        await commit(database, outbox.enqueue, mail)
    await commit(database, outbox.mark_done, delivered, NOON)
    tables = ("sessions", "reauthentication_attempts", "authenticator_setups", "mailed_links", "outbox")
    await commit(database, housekeeping.purge, NOON + RETENTION - SECOND)
    assert await counts(database_url, *tables) == dict(zip(tables, (1, 1, 1, 1, 2), strict=True))
    await commit(database, housekeeping.purge, session.expire_time + RETENTION)
    assert await counts(database_url, *tables) == dict(zip(tables, (0, 0, 0, 0, 1), strict=True))
    assert await ask(database_url, "SELECT message_id FROM outbox") == waiting.message_id


async def test_failures_are_deleted_after_thirty_days(database: Database, database_url: str) -> None:
    challenge = await states.challenge(database, await states.account(database))
    await commit(database, first_factor_failures.count_failure, b"subject", "", NOON)
    await commit(database, first_factor_failures.add_failure_time, b"subject", NOON)
    await commit(database, second_factor_failures.record, challenge, NOON)
    tables = ("first_factor_failures", "first_factor_totals", "second_factor_failures")
    for now, left in ((NOON + RETENTION - SECOND, 1), (NOON + RETENTION, 0)):
        await commit(database, housekeeping.purge, now)
        assert await counts(database_url, *tables) == dict.fromkeys(tables, left)


async def test_accounts_and_spent_codes_are_never_deleted(database: Database, database_url: str) -> None:
    """A code that was used ten years ago is still recognised."""
    owner = await states.account_with_authenticator(database)
    await commit(database, backup_codes.spend, owner.account_id, 1, b"code", NOON)
    await commit(database, housekeeping.purge, NOON + 3650 * 24 * HOUR)
    tables = ("accounts", "account_emails", "second_factors", "spent_backup_codes")
    assert await counts(database_url, *tables) == dict.fromkeys(tables, 1)
