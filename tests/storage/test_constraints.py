"""Constraints: PostgreSQL refuses invalid states even if the code has a bug."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio

from tests.storage import states
from tests.storage.states import NOON
from twofactor_server.storage.database import Database

CHECK, UNIQUE, FOREIGN = "23514", "23505", "23503"


@pytest_asyncio.fixture
async def plain(database_url: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A plain connection."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def account_id(database: Database) -> UUID:
    """An account on e-mail codes."""
    return (await states.account(database)).account_id


async def refused(plain: "asyncpg.Connection[Any]", statement: str, *values: Any) -> str:
    """The SQLSTATE of the statement's error; "" if it succeeds."""
    try:
        async with plain.transaction():
            await plain.execute(statement, *values)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate)
    return ""


FACTORS = list(product(("email", "authenticator", "sms"), (None, b"sealed"), (None, "$argon2id$"), (-1, 0, 1)))


@pytest.mark.parametrize(("method", "secret", "code_hash", "generation"), FACTORS)
async def test_method_secret_and_backup_code_are_consistent(
    plain: "asyncpg.Connection[Any]",
    account_id: UUID,
    method: str,
    secret: bytes | None,
    code_hash: str | None,
    generation: int,
) -> None:
    """An authenticator has a secret, a backup code and a generation from 1 on; e-mail codes have no secret and no code.

    An account with a backup code but no authenticator cannot exist.
    """
    if method == "authenticator":
        valid = secret is not None and code_hash is not None and generation >= 1
    else:
        valid = method == "email" and secret is None and code_hash is None and generation >= 0
    statement = """
        UPDATE second_factors SET method = $2, totp_secret = $3, backup_code_hash = $4, generation = $5
        WHERE account_id = $1
    """
    state = await refused(plain, statement, account_id, method, secret, code_hash, generation)
    assert state == ("" if valid else CHECK)


async def test_an_account_has_one_second_factor(plain: "asyncpg.Connection[Any]", account_id: UUID) -> None:
    statement = "INSERT INTO second_factors (account_id, method, generation) VALUES ($1, 'email', 0)"
    assert await refused(plain, statement, account_id) == UNIQUE
    assert await refused(plain, statement, uuid4()) == FOREIGN


async def test_a_generation_cannot_be_spent_twice(plain: "asyncpg.Connection[Any]", account_id: UUID) -> None:
    """Not with another fingerprint either. Generations are counted for each account."""
    statement = """
        INSERT INTO spent_backup_codes (account_id, generation, fingerprint, spend_time) VALUES ($1, $2, $3, $4)
    """
    assert await refused(plain, statement, account_id, 1, b"one", NOON) == ""
    assert await refused(plain, statement, account_id, 1, b"one", NOON) == UNIQUE
    assert await refused(plain, statement, account_id, 1, b"two", NOON) == UNIQUE
    assert await refused(plain, statement, account_id, 2, b"one", NOON) == ""


@pytest.mark.parametrize(("attempts", "state"), [(-1, CHECK), (0, ""), (5, ""), (6, CHECK)])
async def test_a_challenge_has_at_most_five_attempts(
    plain: "asyncpg.Connection[Any]", database: Database, attempts: int, state: str
) -> None:
    challenge = await states.challenge(database, await states.account(database))
    statement = "UPDATE challenges SET attempts = $2 WHERE challenge_id = $1"
    assert await refused(plain, statement, challenge.challenge_id, attempts) == state


SETUP = """
    INSERT INTO authenticator_setups (account_id, setup_id, session_id, create_time, expire_time, attempts)
    VALUES ($1, $2, $3, $4, $4, $5)
"""


@pytest.mark.parametrize(("attempts", "state"), [(-1, CHECK), (0, ""), (5, ""), (6, CHECK)])
async def test_a_setup_has_at_most_five_attempts(
    plain: "asyncpg.Connection[Any]", account_id: UUID, attempts: int, state: str
) -> None:
    assert await refused(plain, SETUP, account_id, uuid4(), uuid4(), NOON, attempts) == state


async def test_an_account_has_at_most_one_open_setup(plain: "asyncpg.Connection[Any]", account_id: UUID) -> None:
    assert await refused(plain, SETUP, account_id, uuid4(), uuid4(), NOON, 0) == ""
    assert await refused(plain, SETUP, account_id, uuid4(), uuid4(), NOON, 0) == UNIQUE
    await plain.execute("UPDATE authenticator_setups SET end_time = $2 WHERE account_id = $1", account_id, NOON)
    assert await refused(plain, SETUP, account_id, uuid4(), uuid4(), NOON, 0) == ""


SESSION = """
    INSERT INTO sessions (account_id, session_id, challenge_id, token_digest, first_factor, proof, proof_time,
        ip_address, user_agent, create_time, expire_time, last_active_time)
    VALUES ($1, $2, $3, $4, $5, $6, $7, '', '', $7, $7, $7)
"""


async def test_a_challenge_opens_one_session(plain: "asyncpg.Connection[Any]", account_id: UUID) -> None:
    """Even if every lock failed."""
    challenge_id = uuid4()
    values = ("password", "backup_code", NOON)
    assert await refused(plain, SESSION, account_id, uuid4(), challenge_id, b"1", *values) == ""
    assert await refused(plain, SESSION, account_id, uuid4(), challenge_id, b"2", *values) == UNIQUE


async def test_a_token_belongs_to_one_session_and_one_challenge(
    plain: "asyncpg.Connection[Any]", database: Database
) -> None:
    account = await states.account(database)
    values = ("password", "backup_code", NOON)
    assert await refused(plain, SESSION, account.account_id, uuid4(), uuid4(), b"1", *values) == ""
    assert await refused(plain, SESSION, account.account_id, uuid4(), uuid4(), b"1", *values) == UNIQUE
    await states.challenge(database, account, digest=b"1")
    with pytest.raises(asyncpg.UniqueViolationError, match="uq_challenges_account_id_token_digest"):
        await states.challenge(database, account, digest=b"1")


@pytest.mark.parametrize(("first_factor", "proof"), [("saml", "email_code"), ("password", "sms"), ("", "")])
async def test_a_session_has_known_factors(
    plain: "asyncpg.Connection[Any]", account_id: UUID, first_factor: str, proof: str
) -> None:
    assert await refused(plain, SESSION, account_id, uuid4(), uuid4(), b"3", first_factor, proof, NOON) == CHECK


ATTEMPT = """
    INSERT INTO backup_code_attempts (account_id, challenge_id, fingerprint, verdict, network_prefix, create_time)
    VALUES ($1, $2, $3, $4, '', $5)
"""


async def test_a_code_has_one_attempt_on_a_challenge(plain: "asyncpg.Connection[Any]", database: Database) -> None:
    account = await states.account(database)
    challenge, other = await states.challenge(database, account), await states.challenge(database, account)
    ids = (account.account_id, challenge.challenge_id)
    assert await refused(plain, ATTEMPT, *ids, b"code", "pending", NOON) == ""
    assert await refused(plain, ATTEMPT, *ids, b"code", "wrong", NOON) == UNIQUE
    assert await refused(plain, ATTEMPT, *ids, b"other", "perhaps", NOON) == CHECK
    assert await refused(plain, ATTEMPT, account.account_id, other.challenge_id, b"code", "pending", NOON) == ""
    assert await refused(plain, ATTEMPT, account.account_id, uuid4(), b"code", "pending", NOON) == FOREIGN


async def test_an_attempt_belongs_to_a_challenge_of_its_own_account(
    plain: "asyncpg.Connection[Any]", database: Database
) -> None:
    """The account is part of the foreign key."""
    challenge = await states.challenge(database, await states.account(database))
    stranger = await states.account(database)
    ids = (stranger.account_id, challenge.challenge_id)
    assert await refused(plain, ATTEMPT, *ids, b"code", "pending", NOON) == FOREIGN


async def test_an_address_and_a_request_id_belong_to_one_account(
    plain: "asyncpg.Connection[Any]", account_id: UUID
) -> None:
    email = f"{uuid4().hex}@example.test"
    claim = "INSERT INTO account_emails (email, account_id) VALUES ($1, $2)"
    assert await refused(plain, claim, email, account_id) == ""
    assert await refused(plain, claim, email, uuid4()) == UNIQUE
    request_id = uuid4()
    creation = "INSERT INTO account_creations (request_id, account_id) VALUES ($1, $2)"
    assert await refused(plain, creation, request_id, account_id) == ""
    assert await refused(plain, creation, request_id, uuid4()) == UNIQUE
