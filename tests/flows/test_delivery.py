"""Delivery: at least once, again after a while, given up for good reason only, and nothing readable left behind."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from tests.flows.deliverers import DyingBeforeItSaysSo, delivery, mails, noticed, state
from tests.flows.house import House
from tests.mail.servers import Inbox, smtp_server
from twofactor_server.crypto.keyring import Key, Keyring, Purpose
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows import delivery as module
from twofactor_server.flows import trail
from twofactor_server.flows.delivery import LEASE
from twofactor_server.mail.notices import AuthenticatorOff
from twofactor_server.mail.smtp import SEND_SECONDS, SmtpTransport
from twofactor_server.storage.database import Transaction

SECOND = timedelta(seconds=1)
PATIENCE = 10.0


@pytest_asyncio.fixture(autouse=True)
async def no_other_mail(house: House) -> None:
    """No mail of another test waits."""
    await house.ask("DELETE FROM outbox RETURNING 1")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest_asyncio.fixture
async def port(inbox: Inbox) -> AsyncIterator[int]:
    async with smtp_server(inbox) as port:
        yield port


async def test_a_mail_arrives_once_and_is_erased(house: House, inbox: Inbox, port: int) -> None:
    owner = await noticed(house)
    deliver = delivery(house, port)
    assert await deliver.deliver_due() is True
    assert await deliver.deliver_due() is False
    (mail,) = mails(inbox)
    assert (mail["To"], mail["X-Twofactor-Kind"]) == (owner.email, "authenticator-off")
    assert await state(house, owner) == (True, house.now, house.now + LEASE, 1)


async def test_a_mail_that_is_refused_for_now_is_tried_again_later_and_later(
    house: House, inbox: Inbox, port: int
) -> None:
    """After 1, 2, 4 … seconds, at most 5 minutes; then it arrives, with the one Message-ID it had all along."""
    owner = await noticed(house)
    deliver = delivery(house, port)
    inbox.answers = {"DATA": "451 greylisted"}
    waits = []
    for tries in range(1, 12):
        assert await deliver.deliver_due() is True
        erased, sent, due, tried = await state(house, owner)
        assert (erased, sent, tried) == (False, None, tries)
        waits.append((due - house.now).total_seconds())
        house.later(due - house.now - SECOND / 10)
        assert await deliver.deliver_due() is False, "not before its time"
        house.later(SECOND / 10)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    inbox.answers = {}
    assert await deliver.deliver_due() is True
    assert (await state(house, owner))[:2] == (True, house.now)
    assert len({mail["Message-ID"] for mail in mails(inbox)}) == 1


@pytest.mark.parametrize("where", ["RCPT", "DATA"])
async def test_a_mail_that_will_never_be_accepted_is_given_up(
    house: House, inbox: Inbox, port: int, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Erased and not said to be sent; the log tells of it, without the address."""
    owner = await noticed(house)
    inbox.answers = {where: f"550 no such user {owner.email}"}
    with caplog.at_level(logging.ERROR):
        await delivery(house, port).deliver_due()
    erased, sent, _, _ = await state(house, owner)
    assert (erased, sent) == (True, None)
    assert "authenticator-off mail was given up" in caplog.text
    assert owner.email not in caplog.text
    house.later(timedelta(days=1))
    assert await delivery(house, port).deliver_due() is False


async def test_a_code_that_has_expired_is_not_sent(house: House, inbox: Inbox, port: int) -> None:
    """It would only confuse: its five minutes are over. It is erased."""
    owner = await house.owner()
    await house.challenge(owner)
    house.later(timedelta(minutes=5))
    await delivery(house, port).deliver_due()
    assert mails(inbox) == []
    assert (await state(house, owner))[:2] == (True, None)


async def test_a_code_is_sent_until_the_last_moment(house: House, inbox: Inbox, port: int) -> None:
    owner = await house.owner()
    await house.challenge(owner)
    house.later(timedelta(minutes=5) - SECOND)
    await delivery(house, port).deliver_due()
    assert [mail["X-Twofactor-Kind"] for mail in mails(inbox)] == ["sign-in-code"]
    assert (await state(house, owner))[:2] == (True, house.now)


async def test_a_server_that_dies_after_the_hand_over_sends_twice_rather_than_never(
    house: House, inbox: Inbox, port: int
) -> None:
    """ "At least once": when the lease has run out, another server sends the same bytes under the same Message-ID."""
    owner = await noticed(house)
    dying = DyingBeforeItSaysSo(SmtpTransport(f"smtp://127.0.0.1:{port}"))
    died = asyncio.create_task(delivery(house, dying).deliver_due())
    await asyncio.wait_for(dying.handed_over.wait(), PATIENCE)
    died.cancel()
    await asyncio.wait({died})
    other = delivery(house, port)
    house.later(LEASE - SECOND)
    assert await other.deliver_due() is False
    house.later(SECOND)
    assert await other.deliver_due() is True
    first, second = mails(inbox)
    assert first["Message-ID"] == second["Message-ID"]
    assert first.as_bytes() == second.as_bytes()
    assert (await state(house, owner))[:2] == (True, house.now)


def test_a_lease_outlasts_the_longest_hand_over() -> None:
    """Otherwise a slow server's mails would be sent twice without anybody dying."""
    assert LEASE.total_seconds() > SEND_SECONDS + 10


async def test_one_bad_mail_does_not_hold_up_the_others(house: House, inbox: Inbox, port: int) -> None:
    good = [await noticed(house) for _ in range(3)]
    bad = await noticed(house)
    await house.ask("UPDATE outbox SET payload = 'x' WHERE account_id = :id RETURNING 1", id=bad.account_id)
    await delivery(house, port).deliver_due()
    assert {mail["To"] for mail in mails(inbox)} == {owner.email for owner in good}
    for owner in good:
        assert (await state(house, owner))[0]


async def test_a_mail_swapped_into_another_account_is_not_sent(house: House, inbox: Inbox, port: int) -> None:
    """Its payload is sealed for its row: whoever can write to the database cannot have a code mailed elsewhere."""
    first, second = await noticed(house), await noticed(house)
    statement = """
        UPDATE outbox SET payload = (SELECT payload FROM outbox WHERE account_id = :other)
        WHERE account_id = :id RETURNING 1
    """
    await house.ask(statement, id=first.account_id, other=second.account_id)
    await delivery(house, port).deliver_due()
    assert [mail["To"] for mail in mails(inbox)] == [second.email]


async def test_a_mail_that_only_a_newer_server_can_make_is_left_to_it(
    house: House, inbox: Inbox, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Servers of two versions share one outbox while they are replaced: what the older one does not know waits."""
    with monkeypatch.context() as newer:
        newer.setattr(AuthenticatorOff, "kind", "of-tomorrow")
        owner = await noticed(house)
    await delivery(house, port).deliver_due()
    assert not (await state(house, owner))[0], "erased, and nobody is ever told"


async def test_a_mail_under_a_key_that_has_not_come_here_yet_is_left_to_others(
    house: House, inbox: Inbox, port: int
) -> None:
    """Keys are rotated on one server after the other: the one that has the new key delivers it, and this one later."""
    owner = await noticed(house)
    behind = delivery(house, port)
    old = Key("old", Purpose.OUTBOX, b"o" * 32)
    others = [house.keyring.current(purpose) for purpose in Purpose if purpose is not Purpose.OUTBOX]
    object.__setattr__(behind, "keyring", Keyring([old, *others]))
    await behind.deliver_due()
    assert not (await state(house, owner))[0], "erased, and nobody is ever told"
    house.later(LEASE)
    await delivery(house, port).deliver_due()
    assert [mail["To"] for mail in mails(inbox)] == [owner.email]


async def test_delivery_is_woken_by_the_commit_and_by_nothing_before_it(house: House) -> None:
    """And not at all by a transaction that is rolled back."""
    owner = await house.owner()
    notice = AuthenticatorOff(recipient=owner.email, time=house.now)

    async def work(tx: Transaction) -> None:
        await trail.post(tx, house.deps, owner.account_id, notice)
        assert not house.wanted.is_set()

    async def failing(tx: Transaction) -> None:
        await work(tx)
        raise Refusal(Reason.CODE_MISMATCH)

    house.wanted.clear()
    with pytest.raises(Refusal):
        await house.database.transact(failing)
    assert not house.wanted.is_set()
    await house.database.transact(work)
    assert house.wanted.is_set()


async def test_a_commit_is_followed_by_its_mail_at_once(
    house: House, inbox: Inbox, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task waits for nothing but the wake-up: it is not the poll, made an hour long here, that finds the mail."""
    monkeypatch.setattr(module, "POLL", 3600.0)
    running = asyncio.create_task(delivery(house, port).run())
    try:
        owner = await noticed(house)
        async with asyncio.timeout(PATIENCE):
            while not (await state(house, owner))[0]:
                await asyncio.sleep(0.01)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert [mail["To"] for mail in mails(inbox)] == [owner.email]
