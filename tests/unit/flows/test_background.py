"""Background tasks: they delay no call, and they survive an unavailable database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from tests.storage.databases import ask
from tests.unit.flows.delivery import delivery, outbox_state, received
from tests.unit.flows.harness import FlowHarness, Owner
from tests.unit.mail.servers import Inbox, raw_server, smtp_server
from twofactor_server.flows.background import housekeeping
from twofactor_server.flows.background.mail_delivery import LEASE
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


async def wait_until_erased(harness: FlowHarness, owner: Owner) -> None:
    """Wait until no e-mail to the owner is left in the outbox."""
    statement = "SELECT count(*) FROM outbox WHERE account_id = :p_id AND payload IS NOT NULL"
    async with asyncio.timeout(PATIENCE):
        while await harness.query_value(statement, owner):
            await asyncio.sleep(0.02)


async def test_a_silent_mail_server_does_not_delay_sign_ins(harness: FlowHarness) -> None:
    """Sign-ins start and complete while the delivery of an e-mail hangs. It arrives later."""
    called, conversations_end = asyncio.Event(), asyncio.Event()

    async def silent(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        called.set()
        await conversations_end.wait()

    owner = await harness.account()
    async with raw_server(silent) as port, in_the_background(delivery(harness, port).run()):
        await harness.challenge(owner)
        await asyncio.wait_for(called.wait(), PATIENCE)
        harness.advance(timedelta(seconds=1))
        challenge = await harness.challenge(owner)
        code = await harness.mailed_code(owner)
        signed_in = await harness.email_codes.verify(harness.call(), challenge, code, None)
        assert signed_in.session.email == owner.email
        assert not conversations_end.is_set()
        conversations_end.set()
    inbox = Inbox()
    harness.advance(LEASE)
    async with smtp_server(inbox) as port:
        await delivery(harness, port).deliver_due()
    assert [mail["To"] for mail in received(inbox)].count(owner.email) == 2


async def test_sign_ins_start_without_a_mail_server(harness: FlowHarness) -> None:
    """Nothing listens on the port. The e-mail stays in the outbox and is tried again."""
    owner = await harness.account()
    async with raw_server(lambda _, __: asyncio.sleep(0)) as port:
        pass  # the port is free again
    deliver = delivery(harness, port)
    challenge = await harness.challenge(owner)
    await deliver.deliver_due()
    erased, sent, _, tries = await outbox_state(harness, owner)
    assert (erased, sent, tries) == (False, None, 1)
    assert await harness.email_codes.verify(harness.call(), challenge, await harness.mailed_code(owner), None)


@contextlib.asynccontextmanager
async def unavailable_database(postgres: EmbeddedPostgres, harness: FlowHarness, how: str) -> AsyncIterator[None]:
    """The database accepts no connections and has ended all of them, for the duration of the block."""
    ((name,),) = await harness.query("SELECT current_database()")
    await ask(postgres.url, f'ALTER DATABASE "{name}" {how}')
    await ask(postgres.url, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", name)
    try:
        yield
    finally:
        await ask(postgres.url, f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true CONNECTION LIMIT -1')


@pytest.mark.parametrize("how", ["CONNECTION LIMIT 0", "ALLOW_CONNECTIONS false"])
async def test_mail_delivery_survives_an_unavailable_database(
    harness: FlowHarness, postgres: EmbeddedPostgres, how: str
) -> None:
    """If the task ended, no later e-mail of this server process would be delivered."""
    owner = await harness.account()
    inbox = Inbox()
    async with smtp_server(inbox) as port, in_the_background(delivery(harness, port).run()) as running:
        async with unavailable_database(postgres, harness, how):
            harness.wake.set()
            await asyncio.wait({running}, timeout=0.2)
        assert not running.done(), running
        await harness.challenge(owner)
        await wait_until_erased(harness, owner)
    assert owner.email in [mail["To"] for mail in received(inbox)]


@pytest.mark.parametrize("how", ["CONNECTION LIMIT 0", "ALLOW_CONNECTIONS false"])
async def test_housekeeping_survives_an_unavailable_database(
    harness: FlowHarness, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(housekeeping, "INTERVAL", 0.02)
    owner = await harness.account()
    await harness.challenge(owner)
    async with in_the_background(housekeeping.run(harness.database, lambda: harness.now)) as running:
        async with unavailable_database(postgres, harness, how):
            await asyncio.wait({running}, timeout=0.2)
        assert not running.done(), running
        harness.advance(timedelta(minutes=6))
        await wait_until_erased(harness, owner)
