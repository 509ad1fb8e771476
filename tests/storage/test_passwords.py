"""What a change of a password writes, each promise by itself."""

from dataclasses import replace
from functools import partial

import pytest

from tests.storage import states
from tests.storage.databases import ask
from tests.storage.states import HOUR, MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.storage import accounts, challenges, mailed_links, outbox
from twofactor_server.storage.database import Database
from twofactor_server.storage.second_factors import GuardMissed


async def as_stored(database: Database, owner: Account) -> Account:
    found = await database.read(lambda tx: accounts.by_id(tx, owner.account_id))
    assert found is not None
    return found


async def test_a_password_is_set_at_the_version_that_was_seen(database: Database) -> None:
    owner = await states.account(database)
    set_it = partial(accounts.set_password, account_id=owner.account_id, password_hash="new", expected_version=1)
    await database.transact(set_it)
    assert await as_stored(database, owner) == replace(owner, password_hash="new", password_version=2)
    with pytest.raises(GuardMissed):
        await database.transact(set_it)


async def test_a_closed_account_gets_no_password(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    await ask(database_url, "UPDATE accounts SET close_time = now() WHERE account_id = $1", owner.account_id)
    with pytest.raises(GuardMissed):
        await database.transact(lambda tx: accounts.set_password(tx, owner.account_id, "new", 1))


async def test_a_rehash_keeps_the_version_and_misses_a_changed_password(database: Database) -> None:
    """False, and nothing written, if the hash or the version is another than the one that was seen."""
    owner = await states.account(database)
    assert await database.transact(lambda tx: accounts.rehash_password(tx, owner, "again")) is True
    assert await as_stored(database, owner) == replace(owner, password_hash="again")
    assert await database.transact(lambda tx: accounts.rehash_password(tx, owner, "late")) is False
    seen = await as_stored(database, owner)
    await database.transact(lambda tx: accounts.set_password(tx, owner.account_id, "again", 1))
    assert await database.transact(lambda tx: accounts.rehash_password(tx, seen, "late")) is False
    assert (await as_stored(database, owner)).password_hash == "again"


async def test_a_suspension_is_lifted_of_this_account_only(database: Database, database_url: str) -> None:
    owner, other = await states.account(database), await states.account(database)
    for one in (owner, other):
        await ask(database_url, "UPDATE accounts SET suspend_time = $2 WHERE account_id = $1", one.account_id, NOON)
    for _ in range(2):
        await database.transact(lambda tx: accounts.lift_suspension(tx, owner.account_id))
    assert (await as_stored(database, owner)).suspend_time is None
    assert (await as_stored(database, other)).suspend_time == NOON


async def test_open_challenges_are_voided(database: Database, database_url: str) -> None:
    """Completed ones stay completed, void ones as they were voided, other accounts' open."""
    owner, other = await states.account(database), await states.account(database)
    done, void, opened, theirs = [await states.challenge(database, one) for one in (owner, owner, owner, other)]
    await database.transact(lambda tx: challenges.complete(tx, done, NOON))
    statement = "UPDATE challenges SET void_time = $2 WHERE challenge_id = $1"
    await ask(database_url, statement, void.challenge_id, NOON)
    await database.transact(lambda tx: challenges.void_open(tx, owner.account_id, NOON + MINUTE))
    look = "SELECT void_time FROM challenges WHERE challenge_id = $1"
    times = [await ask(database_url, look, one.challenge_id) for one in (done, void, opened, theirs)]
    assert times == [None, NOON, NOON + MINUTE, None]


async def test_a_decoy_is_written_and_never_leased(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    message = states.mail(owner)
    await database.transact(lambda tx: outbox.add_decoy(tx, message))
    assert await ask(database_url, "SELECT count(*) FROM outbox WHERE message_id = $1", message.message_id) == 1
    leased = await database.transact(lambda tx: outbox.lease(tx, NOON + HOUR, MINUTE, 1000))
    assert message.message_id not in [one.message_id for one in leased]


async def test_no_link_is_written_where_one_is_pretended(database: Database, database_url: str) -> None:
    before = await ask(database_url, "SELECT count(*) FROM mailed_links")
    await database.transact(mailed_links.pretend)
    assert await ask(database_url, "SELECT count(*) FROM mailed_links") == before
