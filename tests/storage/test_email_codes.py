"""E-mail codes of challenges, and the account's mails of the last hour."""

from datetime import datetime
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy.exc import IntegrityError

from tests.storage import states
from tests.storage.states import HOUR, MINUTE, NOON, PREFIX, SECOND
from twofactor_server.domain.challenges import Challenge
from twofactor_server.domain.email_codes import EmailCode
from twofactor_server.storage import email_codes
from twofactor_server.storage.database import Database


async def sent(
    database: Database, challenge: Challenge, number: int, now: datetime = NOON, prefix: str = PREFIX
) -> EmailCode:
    """The challenge's next code."""
    code = EmailCode(number, mac=f"mac {number}".encode(), key_id="1", create_time=now, request_id=uuid4())
    await database.transact(partial(email_codes.add, challenge=challenge, code=code, network_prefix=prefix))
    return code


async def test_the_newest_code_comes_first(database: Database) -> None:
    """By its number: two codes may be of one moment."""
    owner = await states.account(database)
    challenge, other = [await states.challenge(database, owner) for _ in range(2)]
    codes = [await sent(database, challenge, number) for number in (1, 2, 3)]
    assert await database.read(partial(email_codes.of_challenge, challenge=challenge)) == codes[::-1]
    assert await database.read(partial(email_codes.of_challenge, challenge=other)) == []


async def test_a_number_is_given_once(database: Database) -> None:
    """Two sends that raced without the lock would both be the challenge's next code."""
    challenge = await states.challenge(database, await states.account(database))
    await sent(database, challenge, 1)
    with pytest.raises(IntegrityError):
        await sent(database, challenge, 1)


async def test_the_mails_of_the_last_hour_all_and_from_one_network(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    first, second = [await states.challenge(database, owner) for _ in range(2)]
    await sent(database, first, 1, NOON)
    await sent(database, second, 1, NOON + 2 * MINUTE, prefix="198.51.100.0/24")
    await sent(database, first, 2, NOON + MINUTE)
    await sent(database, await states.challenge(database, stranger), 1, NOON)

    async def recent(now: datetime) -> tuple[list[datetime], list[datetime]]:
        look = partial(email_codes.recent_sends, account_id=owner.account_id, network_prefix=PREFIX, now=now)
        return await database.read(look)

    late = NOON + HOUR
    assert await recent(late - SECOND) == ([NOON, NOON + MINUTE, NOON + 2 * MINUTE], [NOON, NOON + MINUTE])
    assert await recent(late) == ([NOON + MINUTE, NOON + 2 * MINUTE], [NOON + MINUTE])
    assert await recent(late + 2 * MINUTE) == ([], [])
