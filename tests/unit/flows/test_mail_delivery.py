"""Mail delivery: at least once, retried with growing delays, given up only on permanent errors; payloads are erased."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from tests.unit.flows.delivery import CrashingTransport, account_with_notice, delivery, outbox_state, received
from tests.unit.flows.harness import FlowHarness
from tests.unit.mail.servers import Inbox, smtp_server
from twofactor_server.crypto.keyring import Key, KeyPurpose, Keyring
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.background import mail_delivery
from twofactor_server.flows.background.mail_delivery import LEASE
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.mail.notices import AuthenticatorOff
from twofactor_server.mail.smtp import SEND_SECONDS, SmtpTransport

SECOND = timedelta(seconds=1)
PATIENCE = 10.0


@pytest_asyncio.fixture(autouse=True)
async def no_other_mail(harness: FlowHarness) -> None:
    """No e-mail of another test is in the outbox."""
    await harness.query("DELETE FROM outbox RETURNING 1")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest_asyncio.fixture
async def port(inbox: Inbox) -> AsyncIterator[int]:
    async with smtp_server(inbox) as port:
        yield port


async def test_an_email_is_sent_once_and_erased(harness: FlowHarness, inbox: Inbox, port: int) -> None:
    owner = await account_with_notice(harness)
    deliver = delivery(harness, port)
    assert await deliver.deliver_due() is True
    assert await deliver.deliver_due() is False
    (mail,) = received(inbox)
    assert (mail["To"], mail["X-Twofactor-Kind"]) == (owner.email, "authenticator-off")
    assert await outbox_state(harness, owner) == (True, harness.now, harness.now + LEASE, 1)


async def test_a_temporarily_refused_email_is_retried_with_growing_delays(
    harness: FlowHarness, inbox: Inbox, port: int
) -> None:
    """After 1, 2, 4 … seconds, at most 5 minutes, always with the same Message-ID."""
    owner = await account_with_notice(harness)
    deliver = delivery(harness, port)
    inbox.answers = {"DATA": "451 greylisted"}
    waits = []
    for tries in range(1, 12):
        assert await deliver.deliver_due() is True
        erased, sent, due, tried = await outbox_state(harness, owner)
        assert (erased, sent, tried) == (False, None, tries)
        waits.append((due - harness.now).total_seconds())
        harness.advance(due - harness.now - SECOND / 10)
        assert await deliver.deliver_due() is False, "not before its time"
        harness.advance(SECOND / 10)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    inbox.answers = {}
    assert await deliver.deliver_due() is True
    assert (await outbox_state(harness, owner))[:2] == (True, harness.now)
    assert len({mail["Message-ID"] for mail in received(inbox)}) == 1


@pytest.mark.parametrize("where", ["RCPT", "DATA"])
async def test_a_permanently_refused_email_is_given_up(
    harness: FlowHarness, inbox: Inbox, port: int, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is erased and not marked as sent; the log mentions it without the address."""
    owner = await account_with_notice(harness)
    inbox.answers = {where: f"550 no such user {owner.email}"}
    with caplog.at_level(logging.ERROR):
        await delivery(harness, port).deliver_due()
    erased, sent, _, _ = await outbox_state(harness, owner)
    assert (erased, sent) == (True, None)
    assert "authenticator-off e-mail was given up" in caplog.text
    assert owner.email not in caplog.text
    harness.advance(timedelta(days=1))
    assert await delivery(harness, port).deliver_due() is False


async def test_a_code_that_has_expired_is_not_sent(harness: FlowHarness, inbox: Inbox, port: int) -> None:
    owner = await harness.account()
    await harness.challenge(owner)
    harness.advance(timedelta(minutes=5))
    await delivery(harness, port).deliver_due()
    assert received(inbox) == []
    assert (await outbox_state(harness, owner))[:2] == (True, None)


async def test_a_code_is_sent_until_the_last_moment(harness: FlowHarness, inbox: Inbox, port: int) -> None:
    owner = await harness.account()
    await harness.challenge(owner)
    harness.advance(timedelta(minutes=5) - SECOND)
    await delivery(harness, port).deliver_due()
    assert [mail["X-Twofactor-Kind"] for mail in received(inbox)] == ["sign-in-code"]
    assert (await outbox_state(harness, owner))[:2] == (True, harness.now)


async def test_after_a_crash_an_email_is_sent_twice_rather_than_never(
    harness: FlowHarness, inbox: Inbox, port: int
) -> None:
    """When the lease ends, another server sends the same bytes with the same Message-ID."""
    owner = await account_with_notice(harness)
    crashing = CrashingTransport(SmtpTransport(f"smtp://127.0.0.1:{port}"))
    crashed = asyncio.create_task(delivery(harness, crashing).deliver_due())
    await asyncio.wait_for(crashing.sent.wait(), PATIENCE)
    crashed.cancel()
    await asyncio.wait({crashed})
    other = delivery(harness, port)
    harness.advance(LEASE - SECOND)
    assert await other.deliver_due() is False
    harness.advance(SECOND)
    assert await other.deliver_due() is True
    first, second = received(inbox)
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()
    assert (await outbox_state(harness, owner))[:2] == (True, harness.now)


def test_a_lease_is_longer_than_the_longest_delivery() -> None:
    """Otherwise e-mails to a slow server would be sent twice without a crash."""
    assert LEASE.total_seconds() > SEND_SECONDS + 10


async def test_one_bad_email_does_not_block_the_others(harness: FlowHarness, inbox: Inbox, port: int) -> None:
    good = [await account_with_notice(harness) for _ in range(3)]
    bad = await account_with_notice(harness)
    await harness.query("UPDATE outbox SET payload = 'x' WHERE account_id = :p_id RETURNING 1", id=bad.account_id)
    await delivery(harness, port).deliver_due()
    assert {mail["To"] for mail in received(inbox)} == {owner.email for owner in good}
    for owner in good:
        assert (await outbox_state(harness, owner))[0]


async def test_an_email_copied_to_another_account_is_not_sent(harness: FlowHarness, inbox: Inbox, port: int) -> None:
    """The payload is sealed for its row: write access to the database is not enough to redirect a code."""
    first, second = await account_with_notice(harness), await account_with_notice(harness)
    statement = """
        UPDATE outbox SET payload = (SELECT payload FROM outbox WHERE account_id = :p_other)
        WHERE account_id = :p_id RETURNING 1
    """
    await harness.query(statement, id=first.account_id, other=second.account_id)
    await delivery(harness, port).deliver_due()
    assert [mail["To"] for mail in received(inbox)] == [second.email]


async def test_an_unknown_kind_of_email_is_left_to_a_newer_server(
    harness: FlowHarness, inbox: Inbox, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers of two versions share one outbox during a rolling upgrade."""
    with monkeypatch.context() as newer:
        newer.setattr(AuthenticatorOff, "kind", "newer-kind")
        owner = await account_with_notice(harness)
    await delivery(harness, port).deliver_due()
    assert not (await outbox_state(harness, owner))[0], "erased, so no one is ever notified"


async def test_an_email_sealed_with_an_unknown_key_is_left_to_other_servers(
    harness: FlowHarness, inbox: Inbox, port: int
) -> None:
    """Keys are rotated on one server after another: one that has the new key delivers the e-mail."""
    owner = await account_with_notice(harness)
    behind = delivery(harness, port)
    old = Key("old", KeyPurpose.OUTBOX, b"o" * 32)
    others = [harness.keyring.current(purpose) for purpose in KeyPurpose if purpose is not KeyPurpose.OUTBOX]
    object.__setattr__(behind, "keyring", Keyring([old, *others]))
    await behind.deliver_due()
    assert not (await outbox_state(harness, owner))[0], "erased, so no one is ever notified"
    harness.advance(LEASE)
    await delivery(harness, port).deliver_due()
    assert [mail["To"] for mail in received(inbox)] == [owner.email]


async def test_delivery_is_woken_by_the_commit_only(harness: FlowHarness) -> None:
    """Not before it, and not by a transaction that is rolled back."""
    owner = await harness.account()
    notice = AuthenticatorOff(recipient=owner.email, time=harness.now)
    harness.wake.clear()
    with contextlib.suppress(Refusal):
        async with harness.deps.unit_of_work(harness.call(), TransactionName.AUTHENTICATOR_OFF) as uow:
            await uow.notify(owner.account_id, notice)
            raise Refusal(Reason.CODE_MISMATCH)
    assert not harness.wake.is_set()
    async with harness.deps.unit_of_work(harness.call(), TransactionName.AUTHENTICATOR_OFF) as uow:
        await uow.notify(owner.account_id, notice)
        assert not harness.wake.is_set()
    assert harness.wake.is_set()


async def test_an_email_is_sent_at_once_after_the_commit(
    harness: FlowHarness, inbox: Inbox, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wake-up triggers it, not the poll, whose interval is an hour here."""
    monkeypatch.setattr(mail_delivery, "POLL_INTERVAL", 3600.0)
    running = asyncio.create_task(delivery(harness, port).run())
    try:
        owner = await account_with_notice(harness)
        async with asyncio.timeout(PATIENCE):
            while not (await outbox_state(harness, owner))[0]:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert [mail["To"] for mail in received(inbox)] == [owner.email]
