"""E-mails in the outbox before their delivery, the only time at which an e-mail code is in the database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest_asyncio

from tests.support.clock import Clock
from tests.support.factories import AccountFactory
from tests.support.in_process_server import in_process_server
from tests.support.mailbox import Mailbox
from tests.support.rpc import CLIENT
from tests.support.tables import query, rows
from twofactor_server.crypto.keyring import KeyPurpose, Keyring
from twofactor_server.crypto.sealing import UnsealError, unseal
from twofactor_server.flows.unit_of_work import outbox_associated_data
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database
from twofactor_server.storage.migrate import migrate


@pytest_asyncio.fixture
async def undelivered_database(postgres: EmbeddedPostgres) -> str:
    """A database whose e-mails are not delivered."""
    await query(postgres.administrator_url, "DROP DATABASE IF EXISTS undelivered")
    await query(postgres.administrator_url, "CREATE DATABASE undelivered OWNER twofactor")
    url = urlunsplit(urlsplit(postgres.url)._replace(path="/undelivered"))
    await migrate(url)
    return url


@pytest_asyncio.fixture
async def factory_without_delivery(
    undelivered_database: str, tmp_path: Path, clock: Clock
) -> AsyncIterator[tuple[AccountFactory, Keyring]]:
    """A factory on a server without a delivery task, and that server's keys."""
    database, keyring = Database(undelivered_database, pool_size=2), Keyring.new()
    async with in_process_server(tmp_path, clock, database, keyring) as inside:
        yield AccountFactory(inside.rpc, Mailbox(tmp_path), clock), keyring
    await database.close()


async def test_a_waiting_email_is_sealed(
    factory_without_delivery: tuple[AccountFactory, Keyring], undelivered_database: str
) -> None:
    """ "Outbox payloads … sealed from the first day": nothing is readable without the keyring, not even the
    recipient, and a payload opens in its own row only. Seen to fail with payloads unsealed, and with a seal that
    does not bind the row."""
    factory, keyring = factory_without_delivery
    owner, other = await factory.account(), await factory.account()
    for person in (owner, other):
        await factory.challenge_for(person)
    (waiting,) = await rows(undelivered_database, "outbox", owner.account_id)
    place = outbox_associated_data(waiting["account_id"], waiting["message_id"])
    mail = json.loads(unseal(keyring, KeyPurpose.OUTBOX, place, waiting["payload"]))
    assert mail["recipient"] == owner.email
    for text in (mail["code"], owner.email, CLIENT.ip_address, CLIENT.user_agent, "code"):
        assert text.encode() not in waiting["payload"]
        assert text not in str({name: value for name, value in waiting.items() if name not in ("payload", "kind")})

    (others,) = await rows(undelivered_database, "outbox", other.account_id)
    for wrong_place, keys in (
        (outbox_associated_data(others["account_id"], others["message_id"]), keyring),
        (place, Keyring.new()),
    ):
        try:
            unseal(keys, KeyPurpose.OUTBOX, wrong_place, waiting["payload"])
        except UnsealError:
            continue
        raise AssertionError("a sealed mail opened where it does not belong")


async def test_codes_are_stored_as_keyed_digests(
    factory_without_delivery: tuple[AccountFactory, Keyring], undelivered_database: str
) -> None:
    """Except for the e-mail, only an HMAC under a key of the keyring is stored of a code: six digits are found in
    any other digest."""
    factory, keyring = factory_without_delivery
    owner = await factory.account()
    await factory.challenge_for(owner)
    (waiting,) = await rows(undelivered_database, "outbox", owner.account_id)
    place = outbox_associated_data(waiting["account_id"], waiting["message_id"])
    code = json.loads(unseal(keyring, KeyPurpose.OUTBOX, place, waiting["payload"]))["code"]
    (kept,) = await rows(undelivered_database, "email_codes", owner.account_id)
    assert len(kept["mac"]) == 32
    assert code not in str(kept)
    challenge = await factory.challenge_for(owner)
    assert len(challenge) == 68
    assert len({bytes(row["mac"]) for row in await rows(undelivered_database, "email_codes", owner.account_id)}) == 2
