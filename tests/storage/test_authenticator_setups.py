"""Authenticator setups: one is open at a time, with five attempts, and an ended one keeps no secret."""

from tests.storage import states
from tests.storage.databases import commit, read, rows
from tests.storage.states import MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.authenticator import AuthenticatorSetup
from twofactor_server.storage import authenticator_setups
from twofactor_server.storage.database import Database


async def start(database: Database, owner: Account) -> AuthenticatorSetup:
    """An open setup."""
    setup = states.setup(owner)
    await commit(database, authenticator_setups.create, owner.account_id, setup, NOON)
    return setup


async def find(database: Database, account: Account, setup: AuthenticatorSetup) -> AuthenticatorSetup | None:
    return await read(database, authenticator_setups.find, account.account_id, setup.setup_id)


async def end_and_secret(url: str, setup: AuthenticatorSetup) -> list[tuple[object, ...]]:
    statement = "SELECT end_time, totp_secret FROM authenticator_setups WHERE setup_id = $1"
    return await rows(url, statement, setup.setup_id)


async def test_an_open_setup_is_found_by_its_account(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    setup = await start(database, owner)
    assert await find(database, owner, setup) == setup
    assert await find(database, stranger, setup) is None
    assert await find(database, owner, states.setup(owner)) is None


async def test_a_new_setup_ends_the_open_one(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    older, newer = await start(database, owner), await start(database, owner)
    assert await find(database, owner, older) is None
    assert await find(database, owner, newer) == newer
    assert await end_and_secret(database_url, older) == [(NOON, None)]


async def test_a_setup_allows_five_attempts(database: Database) -> None:
    owner = await states.account(database)
    setup = await start(database, owner)
    left = [
        await commit(database, authenticator_setups.charge_attempt, owner.account_id, setup.setup_id) for _ in range(6)
    ]
    assert left == [4, 3, 2, 1, 0, None]


async def test_an_ended_setup_is_not_charged_and_has_no_secret(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    setup = await start(database, owner)
    ids = (owner.account_id, setup.setup_id)
    ended = [await commit(database, authenticator_setups.end, *ids, NOON + MINUTE) for _ in range(2)]
    assert ended == [True, False]
    assert await commit(database, authenticator_setups.charge_attempt, *ids) is None
    assert await find(database, owner, setup) is None
    assert await end_and_secret(database_url, setup) == [(NOON + MINUTE, None)]


async def test_the_open_setup_of_one_account_is_ended(database: Database, database_url: str) -> None:
    owner, other = await states.account(database), await states.account(database)
    ended, kept = await start(database, owner), await start(database, other)
    await commit(database, authenticator_setups.end_all, owner.account_id, NOON + MINUTE)
    assert await end_and_secret(database_url, ended) == [(NOON + MINUTE, None)]
    assert await find(database, other, kept) == kept
