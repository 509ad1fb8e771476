"""What runs in the background: it slows nobody down, and it outlives a database that was away."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from tests.flows.deliverers import delivery, mails, state
from tests.flows.house import House, Owner
from tests.mail.servers import Inbox, raw_server, smtp_server
from tests.storage.databases import ask
from twofactor_server.flows import housekeeping
from twofactor_server.flows.delivery import LEASE
from twofactor_server.postgres import EmbeddedPostgres

PATIENCE = 10.0


@contextlib.asynccontextmanager
async def in_the_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[asyncio.Task[None]]:
    """The task, cancelled at the end of the block."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait({task})


async def done_with(house: House, owner: Owner) -> None:
    """Wait until no mail to the owner waits."""
    statement = "SELECT count(*) FROM outbox WHERE account_id = :id AND payload IS NOT NULL"
    async with asyncio.timeout(PATIENCE):
        while await house.first(statement, owner):
            await asyncio.sleep(0.02)


async def test_a_mail_server_that_says_nothing_keeps_no_sign_in_waiting(house: House) -> None:
    """ "A slow or dead SMTP server never slows an RPC": sign-ins begin and end while a mail hangs; it arrives later."""
    called, conversations_end = asyncio.Event(), asyncio.Event()

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        called.set()
        await conversations_end.wait()

    owner = await house.owner()
    async with raw_server(silent) as port, in_the_background(delivery(house, port).run()):
        await house.challenge(owner)
        await asyncio.wait_for(called.wait(), PATIENCE)
        house.later(timedelta(seconds=1))
        challenge = await house.challenge(owner)
        code = await house.mailed_code(owner)
        signed_in = await house.email_codes.verify(house.call(), challenge, code, None)
        assert signed_in.session.email == owner.email
        assert not conversations_end.is_set()
        conversations_end.set()
    inbox = Inbox()
    house.later(LEASE)
    async with smtp_server(inbox) as port:
        await delivery(house, port).deliver_due()
    assert [mail["To"] for mail in mails(inbox)].count(owner.email) == 2


async def test_without_a_mail_server_sign_ins_begin_all_the_same(house: House) -> None:
    """Nobody listens on the port: the mail stays in the outbox, to be tried again."""
    owner = await house.owner()
    async with raw_server(lambda _, __: asyncio.sleep(0)) as port:
        pass  # the port was free, and nobody listens there now
    deliver = delivery(house, port)
    challenge = await house.challenge(owner)
    await deliver.deliver_due()
    erased, sent, _, tries = await state(house, owner)
    assert (erased, sent, tries) == (False, None, 1)
    assert await house.email_codes.verify(house.call(), challenge, await house.mailed_code(owner), None)


@contextlib.asynccontextmanager
async def closed_to_all(postgres: EmbeddedPostgres, house: House, how: str) -> AsyncIterator[None]:
    """The house's database lets nobody in and has thrown everybody out, for the time of the block."""
    ((name,),) = await house.ask("SELECT current_database()")
    await ask(postgres.url, f'ALTER DATABASE "{name}" {how}')
    await ask(postgres.url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", name)
    try:
        yield
    finally:
        await ask(postgres.url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true CONNECTION LIMIT -1')


@pytest.mark.parametrize("how", ["CONNECTION LIMIT 0", "ALLOW_CONNECTIONS false"])
async def test_delivery_outlives_a_database_that_was_away(house: House, postgres: EmbeddedPostgres, how: str) -> None:
    """ "An unreachable database is waited for", whatever it says to whom it does not let in.

    A task that died of it would leave every later mail of this server process undelivered, without a word.
    """
    owner = await house.owner()
    inbox = Inbox()
    async with smtp_server(inbox) as port, in_the_background(delivery(house, port).run()) as running:
        async with closed_to_all(postgres, house, how):
            house.wanted.set()
            await asyncio.wait({running}, timeout=0.2)
        assert not running.done(), running
        await house.challenge(owner)
        await done_with(house, owner)
    assert owner.email in [mail["To"] for mail in mails(inbox)]


@pytest.mark.parametrize("how", ["CONNECTION LIMIT 0", "ALLOW_CONNECTIONS false"])
async def test_housekeeping_outlives_a_database_that_was_away(
    house: House, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(housekeeping, "INTERVAL", 0.02)
    owner = await house.owner()
    await house.challenge(owner)
    async with in_the_background(housekeeping.run(house.database, lambda: house.now)) as running:
        async with closed_to_all(postgres, house, how):
            await asyncio.wait({running}, timeout=0.2)
        assert not running.done(), running
        house.later(timedelta(minutes=6))
        await done_with(house, owner)
