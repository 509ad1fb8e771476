"""Linked identities."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from tests.storage import states
from tests.storage.databases import commit, read
from tests.storage.states import MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.identities import LinkedIdentity
from twofactor_server.storage import identities
from twofactor_server.storage.database import Database

ISSUER = "https://provider.example"


def identity(owner: Account, subject: str = "") -> LinkedIdentity:
    """A link, not written yet."""
    return LinkedIdentity(owner.account_id, uuid4(), "example", ISSUER, subject or uuid4().hex, "x@y.example", NOON)


async def listed(database: Database, account: Account) -> list[LinkedIdentity]:
    return await read(database, identities.list_identities, account.account_id)


async def test_a_link_is_found_by_identity_and_by_account(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    one = identity(owner)
    two = replace(identity(owner), provider="github", issuer="https://github.com", link_time=NOON - MINUTE)
    three = replace(identity(owner), link_time=NOON + MINUTE)
    for linked in (one, two, three):
        assert await commit(database, identities.link, linked)
    assert await listed(database, owner) == [two, one, three]
    assert await read(database, identities.find, owner.account_id, ISSUER, one.subject) == one
    assert await read(database, identities.find, other.account_id, ISSUER, one.subject) is None
    assert await read(database, identities.find, owner.account_id, ISSUER, two.subject) is None
    account = await read(database, identities.find_account, ISSUER, one.subject)
    assert account == replace(owner, linked_providers=("example", "github"))
    assert await read(database, identities.find_account, "https://other.example", one.subject) is None


async def test_one_of_several_concurrent_links_of_an_identity_succeeds(database: Database) -> None:
    """Each waits for the commit of the one before it. A refused one writes nothing."""
    owners = [await states.account(database) for _ in range(8)]
    subject = uuid4().hex
    links = (commit(database, identities.link, identity(owner, subject)) for owner in owners)
    assert sorted(await asyncio.gather(*links)) == [False] * 7 + [True]
    assert sorted([len(await listed(database, owner)) for owner in owners]) == [0] * 7 + [1]


async def test_an_unlinked_identity_can_be_linked_by_any_account(database: Database) -> None:
    """The account's other identity, and another account's link, stay."""
    owner, other = await states.account(database), await states.account(database)
    unlinked, kept = identity(owner), identity(owner)
    for linked in (unlinked, kept):
        await commit(database, identities.link, linked)
    for account, linked, expected in ((owner, unlinked, True), (owner, unlinked, False), (other, kept, False)):
        assert await commit(database, identities.unlink, account.account_id, linked.identity_id) is expected
    assert await listed(database, owner) == [kept]
    assert await commit(database, identities.link, identity(other, unlinked.subject))
    assert not await commit(database, identities.link, identity(other, kept.subject))


async def test_all_identities_of_one_account_are_unlinked(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    own, others = [identity(owner), identity(owner)], identity(other)
    for linked in (*own, others):
        await commit(database, identities.link, linked)
    for _ in range(2):
        await commit(database, identities.unlink_all, owner.account_id)
    assert await listed(database, owner) == []
    assert await listed(database, other) == [others]
    for subject, free in ((own[0].subject, True), (own[1].subject, True), (others.subject, False)):
        assert await commit(database, identities.link, identity(owner, subject)) is free
