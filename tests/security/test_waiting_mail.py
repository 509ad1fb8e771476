"""A mail that waits for its delivery: the one moment at which an e-mail code lies in the database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest_asyncio

from tests.api.inside import serving_inside
from tests.people import CLIENT, People
from tests.security.tables import query, rows
from tests.servers import Clock, Mailbox
from twofactor_server.crypto.keyring import Keyring, Purpose
from twofactor_server.crypto.sealing import UnsealError, unseal
from twofactor_server.flows.trail import outbox_place
from twofactor_server.postgres import EmbeddedPostgres
from twofactor_server.storage.database import Database
from twofactor_server.storage.migrate import migrate


@pytest_asyncio.fixture
async def undelivered(postgres: EmbeddedPostgres) -> str:
    """A database of its own, whose mails nobody delivers."""
    await query(postgres.administrator_url, "DROP DATABASE IF EXISTS undelivered")
    await query(postgres.administrator_url, "CREATE DATABASE undelivered OWNER twofactor")
    url = urlunsplit(urlsplit(postgres.url)._replace(path="/undelivered"))
    await migrate(url)
    return url


@pytest_asyncio.fixture
async def people_unheard(undelivered: str, tmp_path: Path, clock: Clock) -> AsyncIterator[tuple[People, Keyring]]:
    """People on a server without a delivery task, and that server's keys."""
    database, keyring = Database(undelivered, pool_size=2), Keyring.new()
    async with serving_inside(tmp_path, clock, database, keyring) as inside:
        yield People(inside.stubs, Mailbox(tmp_path), clock), keyring
    await database.close()


async def test_a_waiting_mail_is_sealed(people_unheard: tuple[People, Keyring], undelivered: str) -> None:
    """ "Outbox payloads … sealed from the first day": without the keyring nothing of the mail can be read, not even
    whom it is for; and a payload opens in its own row only. It fails with payloads unsealed, and with a seal that does
    not bind the row."""
    people, keyring = people_unheard
    owner, other = await people.with_account(), await people.with_account()
    for person in (owner, other):
        await people.challenge_for(person)
    (waiting,) = await rows(undelivered, "outbox", owner.account_id)
    place = outbox_place(waiting["account_id"], waiting["message_id"])
    mail = json.loads(unseal(keyring, Purpose.OUTBOX, place, waiting["payload"]))
    assert mail["recipient"] == owner.email
    for text in (mail["code"], owner.email, CLIENT.ip_address, CLIENT.user_agent, "code"):
        assert text.encode() not in waiting["payload"]
        assert text not in str({name: value for name, value in waiting.items() if name not in ("payload", "kind")})

    (others,) = await rows(undelivered, "outbox", other.account_id)
    for wrong_place, keys in (
        (outbox_place(others["account_id"], others["message_id"]), keyring),
        (place, Keyring.new()),
    ):
        try:
            unseal(keys, Purpose.OUTBOX, wrong_place, waiting["payload"])
        except UnsealError:
            continue
        raise AssertionError("a sealed mail opened where it does not belong")


async def test_the_code_itself_is_kept_keyed(people_unheard: tuple[People, Keyring], undelivered: str) -> None:
    """Beside the mail only an HMAC under a key of the keyring is kept of the code: six digits have no other hiding."""
    people, keyring = people_unheard
    owner = await people.with_account()
    await people.challenge_for(owner)
    (waiting,) = await rows(undelivered, "outbox", owner.account_id)
    place = outbox_place(waiting["account_id"], waiting["message_id"])
    code = json.loads(unseal(keyring, Purpose.OUTBOX, place, waiting["payload"]))["code"]
    (kept,) = await rows(undelivered, "email_codes", owner.account_id)
    assert len(kept["mac"]) == 32
    assert code not in str(kept)
    challenge = await people.challenge_for(owner)
    assert len(challenge) == 68
    assert len({bytes(row["mac"]) for row in await rows(undelivered, "email_codes", owner.account_id)}) == 2
