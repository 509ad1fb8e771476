"""Changes of the account, seen from inside: who may, how much is hashed, and what comes between."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.flows.house import BY_PASSWORD, House
from twofactor_server.domain.mailed_links import Purpose
from twofactor_server.domain.refusals import Reason, Refusal
from twofactor_server.flows.account_closing import AccountClosing
from twofactor_server.flows.email_change import EmailChange
from twofactor_server.flows.mailed_links import make
from twofactor_server.flows.not_me import NotMe
from twofactor_server.storage import housekeeping

NEW_PASSWORD = "another fine password"


async def test_only_a_provisioning_caller_closes_by_id(house: House) -> None:
    """CALLER_NOT_ALLOWED before anything is looked up."""
    closing, owner = AccountClosing(house.deps), await house.owner()
    with pytest.raises(Refusal) as refused:
        await closing.close(house.call(), owner.account_id)
    assert refused.value.reason is Reason.CALLER_NOT_ALLOWED
    await closing.close(replace(house.call(), may_provision=True), owner.account_id)
    with pytest.raises(Refusal) as refused:
        await house.challenge(owner)
    assert refused.value.reason is Reason.CREDENTIALS_MISMATCH


async def test_a_closed_account_costs_a_sign_in_one_hash(house: House) -> None:
    """As an unknown address does: the two cannot be told apart by the time."""
    owner = await house.owner()
    await AccountClosing(house.deps).close(replace(house.call(), may_provision=True), owner.account_id)
    before = house.hashing.argon2id.operations
    with pytest.raises(Refusal):
        await house.challenge(owner)
    assert house.hashing.argon2id.operations == before + 1


async def test_a_link_that_serves_for_nothing_hashes_nothing(house: House) -> None:
    """Who holds no link must not make the server work; who repeats a used one neither."""
    owner, not_me = await house.owner_with_authenticator(), NotMe(house.deps)
    token = (await house.deps.database.transact(
        lambda tx: make(tx, owner.account_id, Purpose.NOT_ME, house.now, kind="authenticator-on")
    )).text  # fmt: skip
    before = house.hashing.argon2id.operations
    with pytest.raises(Refusal):
        await not_me.report(house.call(), token[:-4] + "AAAA", NEW_PASSWORD)
    assert house.hashing.argon2id.operations == before
    first = await not_me.report(house.call(), token, NEW_PASSWORD)
    assert house.hashing.argon2id.operations == before + 1
    assert await not_me.report(house.call(), token, NEW_PASSWORD) == first
    assert house.hashing.argon2id.operations == before + 1


async def test_whether_an_address_is_taken_costs_nothing_that_tells(house: House) -> None:
    """The same hashes and the same rows, but for the words of the sealed mail."""
    owner, other, change = await house.owner_with_authenticator(), await house.owner(), EmailChange(house.deps)
    counts = []
    for email in ("free@example.test", other.email):
        hashes = house.hashing.argon2id.operations
        rows = [await house.first(f"SELECT count(*) FROM {t} WHERE account_id = :id", owner) for t in TABLES]  # noqa: S608
        await change.start(house.call(), owner.session_token, BY_PASSWORD, email)
        after = [await house.first(f"SELECT count(*) FROM {t} WHERE account_id = :id", owner) for t in TABLES]  # noqa: S608
        counts.append((house.hashing.argon2id.operations - hashes, [b - a for a, b in zip(rows, after, strict=True)]))
    assert counts == [(1, [1, 1, 1])] * 2


TABLES = ("mailed_links", "outbox", "audit_events")


async def test_the_kept_secret_is_erased_when_its_link_is_over(house: House) -> None:
    """Seven days; by a use before (tests/account)."""
    owner = await house.owner_with_authenticator()
    await house.removal.remove(house.call(), owner.session_token, BY_PASSWORD)
    statement = "SELECT count(*) FROM mailed_links WHERE account_id = :id AND totp_secret IS NOT NULL"
    for span, kept in ((timedelta(days=7) - timedelta(seconds=1), 1), (timedelta(days=7), 0)):
        moment = house.now + span
        await house.deps.database.transact(lambda tx, moment=moment: housekeeping.erase_expired(tx, moment))  # type: ignore[misc]
        assert await house.first(statement, owner) == kept
