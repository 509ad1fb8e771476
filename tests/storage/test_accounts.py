"""Accounts, and what must be unique across them."""

import asyncio
from functools import partial
from uuid import uuid4

from tests.storage import states
from tests.storage.states import HOUR, NOON
from twofactor_server.domain.second_factors import Counter, Method
from twofactor_server.storage import accounts, second_factors
from twofactor_server.storage.database import Database


async def test_an_account_is_found_by_id_address_and_creation_or_not_at_all(database: Database) -> None:
    owner = await states.account(database)
    request_id = uuid4()
    await database.transact(lambda tx: accounts.claim_creation(tx, request_id, owner.account_id))
    assert await database.read(lambda tx: accounts.by_id(tx, owner.account_id)) == owner
    assert await database.read(lambda tx: accounts.by_email(tx, owner.email)) == owner
    assert await database.read(lambda tx: accounts.by_creation(tx, request_id)) == owner
    assert await database.read(lambda tx: accounts.by_id(tx, uuid4())) is None
    assert await database.read(lambda tx: accounts.by_email(tx, "nobody@example.test")) is None
    assert await database.read(lambda tx: accounts.by_creation(tx, uuid4())) is None


async def test_a_new_account_is_on_email_codes_with_generation_0(database: Database) -> None:
    owner = await states.account(database)
    factor = await database.read(lambda tx: second_factors.read(tx, owner.account_id))
    assert factor is not None
    assert (factor.method, factor.generation, factor.totp_secret, factor.backup_code_hash) == (
        Method.EMAIL,
        0,
        None,
        None,
    )
    assert (factor.email_codes, factor.authenticator) == (Counter(), Counter())


async def test_of_several_claims_of_an_address_one_is_granted(database: Database) -> None:
    """Those that race wait for each other's commit; an address of another account stays that account's."""
    email = f"{uuid4().hex}@example.test"
    granted = await asyncio.gather(
        *(database.transact(lambda tx: accounts.claim_email(tx, email, uuid4())) for _ in range(8))
    )
    assert sorted(granted) == [False] * 7 + [True]
    assert await database.transact(lambda tx: accounts.claim_email(tx, email, uuid4())) is False


async def test_of_several_creations_of_a_request_one_is_granted(database: Database) -> None:
    request_id = uuid4()
    granted = await asyncio.gather(
        *(database.transact(lambda tx: accounts.claim_creation(tx, request_id, uuid4())) for _ in range(8))
    )
    assert sorted(granted) == [False] * 7 + [True]


async def test_an_address_is_proved_once_and_only_while_it_is_the_accounts(database: Database) -> None:
    owner = await states.account(database)
    for email, now, expected in (
        ("former@example.test", NOON, None),
        (owner.email, NOON + HOUR, NOON + HOUR),
        (owner.email, NOON + 2 * HOUR, NOON + HOUR),
    ):
        prove = partial(accounts.mark_email_verified, account_id=owner.account_id, email=email, now=now)
        await database.transact(prove)
        account = await database.read(lambda tx: accounts.by_id(tx, owner.account_id))
        assert account is not None
        assert account.email_verify_time == expected
