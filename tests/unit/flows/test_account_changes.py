"""Changes of the account: who may make them, and how much work they cause."""

from datetime import timedelta

import pytest

from tests.unit.flows.harness import BY_PASSWORD, FlowHarness
from twofactor_server.crypto.tokens import Token
from twofactor_server.domain.calls import Call
from twofactor_server.domain.mailed_links import LinkPurpose
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.account.close import AccountClosing
from twofactor_server.flows.account.email_change import EmailChange
from twofactor_server.flows.account.report import Reports
from twofactor_server.flows.transactions import TransactionName
from twofactor_server.storage import housekeeping

NEW_PASSWORD = "another fine password"


def provisioning_call(harness: FlowHarness) -> Call:
    call = harness.call()
    call.may_provision = True
    return call


async def test_only_a_provisioning_caller_closes_by_id(harness: FlowHarness) -> None:
    closing, owner = AccountClosing(harness.deps), await harness.account()
    with pytest.raises(Refusal) as refused:
        await closing.close(harness.call(), owner.account_id)
    assert refused.value.reason is Reason.CALLER_NOT_ALLOWED
    await closing.close(provisioning_call(harness), owner.account_id)
    with pytest.raises(Refusal) as refused:
        await harness.challenge(owner)
    assert refused.value.reason is Reason.CREDENTIALS_MISMATCH


async def test_a_sign_in_to_a_closed_account_costs_one_hash(harness: FlowHarness) -> None:
    """As for an unknown address: the time does not tell them apart."""
    owner = await harness.account()
    await AccountClosing(harness.deps).close(provisioning_call(harness), owner.account_id)
    before = harness.hashing.argon2id.operations
    with pytest.raises(Refusal):
        await harness.challenge(owner)
    assert harness.hashing.argon2id.operations == before + 1


async def test_an_invalid_or_used_link_causes_no_hashing(harness: FlowHarness) -> None:
    owner, reports = await harness.account_with_authenticator(), Reports(harness.deps)
    async with harness.deps.unit_of_work(harness.call(), TransactionName.AUTHENTICATOR_ON) as uow:
        token = await uow.create_link(owner.account_id, LinkPurpose.UNDO, kind="authenticator-on")
    before = harness.hashing.argon2id.operations
    with pytest.raises(Refusal):
        await reports.report(harness.call(), Token(token.text[:-4] + "AAAA", owner.account_id), NEW_PASSWORD)
    assert harness.hashing.argon2id.operations == before
    first = await reports.report(harness.call(), token, NEW_PASSWORD)
    assert harness.hashing.argon2id.operations == before + 1
    assert await reports.report(harness.call(), token, NEW_PASSWORD) == first
    assert harness.hashing.argon2id.operations == before + 1


async def test_a_change_to_a_taken_address_does_the_same_work(harness: FlowHarness) -> None:
    """The same hashes and rows; only the text of the sealed e-mail differs."""
    owner, other, change = (
        await harness.account_with_authenticator(),
        await harness.account(),
        EmailChange(harness.deps),
    )
    counts = []
    for email in ("free@example.test", other.email):
        hashes = harness.hashing.argon2id.operations
        rows = [await harness.query_value(f"SELECT count(*) FROM {t} WHERE account_id = :p_id", owner) for t in TABLES]  # noqa: S608
        await change.start(harness.call(), owner.session, BY_PASSWORD, email)
        after = [await harness.query_value(f"SELECT count(*) FROM {t} WHERE account_id = :p_id", owner) for t in TABLES]  # noqa: S608
        counts.append((harness.hashing.argon2id.operations - hashes, [b - a for a, b in zip(rows, after, strict=True)]))
    assert counts == [(1, [1, 1, 1])] * 2


TABLES = ("mailed_links", "outbox", "audit_events")


async def test_the_replaced_secret_is_erased_when_its_link_expires(harness: FlowHarness) -> None:
    """After seven days. (tests/acceptance: or when the link is used.)"""
    owner = await harness.account_with_authenticator()
    await harness.removal.remove(harness.call(), owner.session, BY_PASSWORD)
    statement = "SELECT count(*) FROM mailed_links WHERE account_id = :p_id AND totp_secret IS NOT NULL"
    for span, kept in ((timedelta(days=7) - timedelta(seconds=1), 1), (timedelta(days=7), 0)):
        async with harness.database.transaction() as tx:
            await housekeeping.erase_expired(tx, harness.now + span)
        assert await harness.query_value(statement, owner) == kept
