"""The constraints themselves: PostgreSQL refuses states that must not exist, whatever the code above believes."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import asyncpg  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from tests.storage import states
from tests.storage.states import NOON
from twofactor_server.storage.database import Database

CHECK, UNIQUE, FOREIGN = "23514", "23505", "23503"


@pytest_asyncio.fixture
async def plain(database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection without any of our code."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def account_id(database: Database) -> UUID:
    """An account on e-mail codes."""
    return (await states.account(database)).account_id


async def refused(plain: asyncpg.Connection, statement: str, *values: Any) -> str:
    """The SQLSTATE with which the statement is refused; "" if it is not."""
    try:
        async with plain.transaction():
            await plain.execute(statement, *values)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate)
    return ""


FACTORS = list(product(("email", "authenticator", "sms"), (None, b"sealed"), (None, "$argon2id$"), (-1, 0, 1)))


@pytest.mark.parametrize(("method", "secret", "code_hash", "generation"), FACTORS)
async def test_the_method_the_secret_and_the_backup_code_agree(
    plain: asyncpg.Connection,
    account_id: UUID,
    method: str,
    secret: bytes | None,
    code_hash: str | None,
    generation: int,
) -> None:
    """ "Method authenticator ⇔ a TOTP secret ⇔ a backup-code hash; method email ⇔ neither"; a code has a generation.

    So an account with a backup code and no authenticator cannot be written.
    """
    possible = (
        (method == "email" and secret is None and code_hash is None and generation >= 0)
        or (method == "authenticator" and secret is not None and code_hash is not None and generation >= 1)
    )  # fmt: skip
    statement = """
        UPDATE second_factors SET method = $2, totp_secret = $3, backup_code_hash = $4, generation = $5
        WHERE account_id = $1
    """
    state = await refused(plain, statement, account_id, method, secret, code_hash, generation)
    assert state == ("" if possible else CHECK)


async def test_an_account_has_one_second_factor(plain: asyncpg.Connection, account_id: UUID) -> None:
    statement = "INSERT INTO second_factors (account_id, method, generation) VALUES ($1, 'email', 0)"
    assert await refused(plain, statement, account_id) == UNIQUE
    assert await refused(plain, statement, uuid4()) == FOREIGN


async def test_a_generation_cannot_be_spent_twice(plain: asyncpg.Connection, account_id: UUID) -> None:
    """Not under another fingerprint, not at another time; another account's generations are its own."""
    statement = """
        INSERT INTO spent_backup_codes (account_id, generation, fingerprint, spend_time) VALUES ($1, $2, $3, $4)
    """
    assert await refused(plain, statement, account_id, 1, b"one", NOON) == ""
    assert await refused(plain, statement, account_id, 1, b"one", NOON) == UNIQUE
    assert await refused(plain, statement, account_id, 1, b"two", NOON) == UNIQUE
    assert await refused(plain, statement, account_id, 2, b"one", NOON) == ""


@pytest.mark.parametrize(("attempts", "state"), [(-1, CHECK), (0, ""), (5, ""), (6, CHECK)])
async def test_attempts_on_a_challenge_never_go_beyond_five(
    plain: asyncpg.Connection, database: Database, attempts: int, state: str
) -> None:
    challenge = await states.challenge(database, await states.account(database))
    statement = "UPDATE challenges SET attempts = $2 WHERE challenge_id = $1"
    assert await refused(plain, statement, challenge.challenge_id, attempts) == state


SETUP = """
    INSERT INTO authenticator_setups (account_id, setup_id, session_id, create_time, expire_time, attempts)
    VALUES ($1, $2, $3, $4, $4, $5)
"""


@pytest.mark.parametrize(("attempts", "state"), [(-1, CHECK), (0, ""), (5, ""), (6, CHECK)])
async def test_attempts_on_a_setup_never_go_beyond_five(
    plain: asyncpg.Connection, account_id: UUID, attempts: int, state: str
) -> None:
    assert await refused(plain, SETUP, account_id, uuid4(), uuid4(), NOON, attempts) == state


async def test_an_account_has_one_open_setup(plain: asyncpg.Connection, account_id: UUID) -> None:
    assert await refused(plain, SETUP, account_id, uuid4(), uuid4(), NOON, 0) == ""
    assert await refused(plain, SETUP, account_id, uuid4(), uuid4(), NOON, 0) == UNIQUE
    await plain.execute("UPDATE authenticator_setups SET end_time = $2 WHERE account_id = $1", account_id, NOON)
    assert await refused(plain, SETUP, account_id, uuid4(), uuid4(), NOON, 0) == ""


SESSION = """
    INSERT INTO sessions (account_id, session_id, challenge_id, token_digest, first_factor, proof, proof_time,
        ip_address, user_agent, create_time, expire_time, last_active_time)
    VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', $7, $7, $7)
"""


async def test_a_challenge_opens_one_session(plain: asyncpg.Connection, account_id: UUID) -> None:
    """Even if every lock above failed."""
    challenge_id = uuid4()
    values = ("password", "backup_code", NOON)
    assert await refused(plain, SESSION, account_id, uuid4(), challenge_id, b"1", *values) == ""
    assert await refused(plain, SESSION, account_id, uuid4(), challenge_id, b"2", *values) == UNIQUE


async def test_a_token_belongs_to_one_session_and_one_challenge(plain: asyncpg.Connection, database: Database) -> None:
    account = await states.account(database)
    values = ("password", "backup_code", NOON)
    assert await refused(plain, SESSION, account.account_id, uuid4(), uuid4(), b"1", *values) == ""
    assert await refused(plain, SESSION, account.account_id, uuid4(), uuid4(), b"1", *values) == UNIQUE
    await states.challenge(database, account, digest=b"1")
    with pytest.raises(Exception, match="uq_challenges_account_id_token_digest"):
        await states.challenge(database, account, digest=b"1")


@pytest.mark.parametrize(("first_factor", "proof"), [("saml", "email_code"), ("password", "sms"), ("", "")])
async def test_a_session_was_proved_by_methods_that_exist(
    plain: asyncpg.Connection, account_id: UUID, first_factor: str, proof: str
) -> None:
    assert await refused(plain, SESSION, account_id, uuid4(), uuid4(), b"3", first_factor, proof, NOON) == CHECK


ATTEMPT = """
    INSERT INTO backup_code_attempts (account_id, challenge_id, fingerprint, verdict, network_prefix, create_time)
    VALUES ($1, $2, $3, $4, '', $5)
"""


async def test_a_code_is_charged_once_on_a_challenge(plain: asyncpg.Connection, database: Database) -> None:
    account = await states.account(database)
    challenge, other = await states.challenge(database, account), await states.challenge(database, account)
    ids = (account.account_id, challenge.challenge_id)
    assert await refused(plain, ATTEMPT, *ids, b"code", "pending", NOON) == ""
    assert await refused(plain, ATTEMPT, *ids, b"code", "wrong", NOON) == UNIQUE
    assert await refused(plain, ATTEMPT, *ids, b"other", "perhaps", NOON) == CHECK
    assert await refused(plain, ATTEMPT, account.account_id, other.challenge_id, b"code", "pending", NOON) == ""
    assert await refused(plain, ATTEMPT, account.account_id, uuid4(), b"code", "pending", NOON) == FOREIGN


async def test_a_challenge_of_one_account_is_none_of_another(plain: asyncpg.Connection, database: Database) -> None:
    """The foreign keys carry the account: what hangs on a challenge cannot hang on somebody else's."""
    challenge = await states.challenge(database, await states.account(database))
    stranger = await states.account(database)
    ids = (stranger.account_id, challenge.challenge_id)
    assert await refused(plain, ATTEMPT, *ids, b"code", "pending", NOON) == FOREIGN


async def test_an_address_and_a_creation_belong_to_one_account(plain: asyncpg.Connection, account_id: UUID) -> None:
    email = f"{uuid4().hex}@example.test"
    claim = "INSERT INTO account_emails (email, account_id) VALUES ($1, $2)"
    assert await refused(plain, claim, email, account_id) == ""
    assert await refused(plain, claim, email, uuid4()) == UNIQUE
    request_id = uuid4()
    creation = "INSERT INTO account_creations (request_id, account_id) VALUES ($1, $2)"
    assert await refused(plain, creation, request_id, account_id) == ""
    assert await refused(plain, creation, request_id, uuid4()) == UNIQUE
