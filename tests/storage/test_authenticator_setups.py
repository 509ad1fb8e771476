"""Authenticator setups: one open at a time, five wrong codes each, and no secret kept of one that ended."""

from functools import partial
from uuid import UUID, uuid4

from tests.storage import states
from tests.storage.databases import rows
from tests.storage.states import MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.authenticator import AuthenticatorSetup
from twofactor_server.storage import authenticator_setups
from twofactor_server.storage.database import Database


async def started(database: Database, owner: Account) -> AuthenticatorSetup:
    """An open setup."""
    setup = states.setup(owner)
    await database.transact(partial(authenticator_setups.create, account_id=owner.account_id, setup=setup, now=NOON))
    return setup


async def find(database: Database, account_id: UUID, setup_id: UUID) -> AuthenticatorSetup | None:
    return await database.read(partial(authenticator_setups.find, account_id=account_id, setup_id=setup_id))


async def end(database: Database, owner: Account, setup: AuthenticatorSetup) -> bool:
    this = partial(authenticator_setups.end, account_id=owner.account_id, setup_id=setup.setup_id, now=NOON + MINUTE)
    return await database.transact(this)


async def kept_of(url: str, setup: AuthenticatorSetup) -> list[tuple[object, ...]]:
    """What the row says of its end and its secret."""
    statement = "SELECT end_time, totp_secret FROM authenticator_setups WHERE setup_id = $1"
    return await rows(url, statement, setup.setup_id)


async def test_a_setup_is_found_by_its_account_while_it_is_open(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    setup = await started(database, owner)
    assert await find(database, owner.account_id, setup.setup_id) == setup
    assert await find(database, stranger.account_id, setup.setup_id) is None
    assert await find(database, owner.account_id, uuid4()) is None


async def test_starting_again_ends_the_older_one(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    older = await started(database, owner)
    newer = await started(database, owner)
    assert await find(database, owner.account_id, older.setup_id) is None
    assert await find(database, owner.account_id, newer.setup_id) == newer
    assert await kept_of(database_url, older) == [(NOON, None)]


async def test_five_wrong_codes_and_no_more(database: Database) -> None:
    owner = await states.account(database)
    setup = await started(database, owner)
    charge = partial(authenticator_setups.charge_attempt, account_id=owner.account_id, setup_id=setup.setup_id)
    assert [await database.transact(charge) for _ in range(6)] == [4, 3, 2, 1, 0, None]


async def test_an_ended_setup_is_charged_nothing_and_keeps_no_secret(database: Database, database_url: str) -> None:
    owner = await states.account(database)
    setup = await started(database, owner)
    assert [await end(database, owner, setup) for _ in range(2)] == [True, False]
    charge = partial(authenticator_setups.charge_attempt, account_id=owner.account_id, setup_id=setup.setup_id)
    assert await database.transact(charge) is None
    assert await find(database, owner.account_id, setup.setup_id) is None
    assert await kept_of(database_url, setup) == [(NOON + MINUTE, None)]


async def test_all_open_setups_of_one_account_end(database: Database, database_url: str) -> None:
    owner, other = await states.account(database), await states.account(database)
    ended, stays = await started(database, owner), await started(database, other)
    await database.transact(partial(authenticator_setups.end_all, account_id=owner.account_id, now=NOON + MINUTE))
    assert await kept_of(database_url, ended) == [(NOON + MINUTE, None)]
    assert await find(database, other.account_id, stays.setup_id) == stays
