"""E-mail codes of challenges."""

from datetime import datetime
from uuid import uuid4

import asyncpg
import pytest

from tests.storage import states
from tests.storage.databases import commit, read
from tests.storage.states import HOUR, MINUTE, NOON, PREFIX, SECOND
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.email_codes import EmailCode
from twofactor_server.storage import email_codes
from twofactor_server.storage.database import Database


async def send(
    database: Database, challenge: Challenge, number: int, now: datetime = NOON, prefix: str = PREFIX
) -> EmailCode:
    """The challenge's next code."""
    code = EmailCode(number, mac=f"mac {number}".encode(), key_id="1", create_time=now, request_id=uuid4())
    await commit(database, email_codes.create, challenge, code, prefix)
    return code


async def test_codes_are_listed_newest_first(database: Database) -> None:
    """By number: two codes may have the same time."""
    owner = await states.account(database)
    challenge, other = [await states.challenge(database, owner) for _ in range(2)]
    codes = [await send(database, challenge, number) for number in (1, 2, 3)]
    assert await read(database, email_codes.list_codes, challenge) == codes[::-1]
    assert await read(database, email_codes.list_codes, other) == []


async def test_a_number_is_used_once(database: Database) -> None:
    """Without the lock, two concurrent sends would both write the challenge's next code."""
    challenge = await states.challenge(database, await states.account(database))
    await send(database, challenge, 1)
    with pytest.raises(asyncpg.UniqueViolationError):
        await send(database, challenge, 1)


async def test_send_times_of_the_last_hour_are_listed_for_account_and_network(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    first, second = [await states.challenge(database, owner) for _ in range(2)]
    await send(database, first, 1, NOON)
    await send(database, second, 1, NOON + 2 * MINUTE, prefix="198.51.100.0/24")
    await send(database, first, 2, NOON + MINUTE)
    await send(database, await states.challenge(database, stranger), 1, NOON)

    async def recent(now: datetime) -> tuple[list[datetime], list[datetime]]:
        return await read(database, email_codes.recent_send_times, owner.account_id, PREFIX, now)

    late = NOON + HOUR
    assert await recent(late - SECOND) == ([NOON, NOON + MINUTE, NOON + 2 * MINUTE], [NOON, NOON + MINUTE])
    assert await recent(late) == ([NOON + MINUTE, NOON + 2 * MINUTE], [NOON + MINUTE])
    assert await recent(late + 2 * MINUTE) == ([], [])
