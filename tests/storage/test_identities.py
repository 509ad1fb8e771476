"""Linked identities, and whose each one is."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from tests.storage import states
from tests.storage.states import MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.identities import LinkedIdentity
from twofactor_server.storage import accounts, challenges, identities, sessions
from twofactor_server.storage.database import Database

ISSUER = "https://provider.example"


def identity(owner: Account, subject: str = "") -> LinkedIdentity:
    """A link, not written yet."""
    return LinkedIdentity(owner.account_id, uuid4(), "example", ISSUER, subject or uuid4().hex, "x@y.example", NOON)


async def test_a_link_is_found_by_identity_and_by_account(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    one = identity(owner)
    two = replace(identity(owner), provider="github", issuer="https://github.com", link_time=NOON - MINUTE)
    three = replace(identity(owner), link_time=NOON + MINUTE)
    for linked in (one, two, three):
        assert await database.transact(lambda tx, linked=linked: identities.link(tx, linked))  # type: ignore[misc]
    assert await database.read(lambda tx: identities.of_account(tx, owner.account_id)) == [two, one, three]
    assert await database.read(lambda tx: identities.find(tx, owner.account_id, ISSUER, one.subject)) == one
    assert await database.read(lambda tx: identities.find(tx, other.account_id, ISSUER, one.subject)) is None
    assert await database.read(lambda tx: identities.find(tx, owner.account_id, ISSUER, two.subject)) is None
    found = await database.read(lambda tx: identities.owner(tx, ISSUER, one.subject))
    assert found == replace(owner, linked_providers=("example", "github"))
    assert await database.read(lambda tx: identities.owner(tx, "https://other.example", one.subject)) is None


async def test_of_several_links_of_an_identity_one_is_granted(database: Database) -> None:
    """Those that race wait for each other's commit. One that was refused has left nothing."""
    owners = [await states.account(database) for _ in range(8)]
    subject = uuid4().hex
    granted = await asyncio.gather(
        *(database.transact(lambda tx, one=one: identities.link(tx, identity(one, subject))) for one in owners)  # type: ignore[misc]
    )
    assert sorted(granted) == [False] * 7 + [True]
    links = [await database.read(lambda tx, one=one: identities.of_account(tx, one.account_id)) for one in owners]  # type: ignore[misc]
    assert sorted(map(len, links)) == [0] * 7 + [1]


async def test_an_unlinked_identity_is_free(database: Database) -> None:
    """And only that one; nobody else's claim is released by it."""
    owner, other = await states.account(database), await states.account(database)
    mine, kept = identity(owner), identity(owner)
    for linked in (mine, kept):
        await database.transact(lambda tx, linked=linked: identities.link(tx, linked))  # type: ignore[misc]

    async def unlink(account: Account, linked: LinkedIdentity) -> bool:
        return await database.transact(lambda tx: identities.unlink(tx, account.account_id, linked.identity_id))

    assert [await unlink(owner, mine), await unlink(owner, mine), await unlink(other, kept)] == [True, False, False]
    assert await database.read(lambda tx: identities.of_account(tx, owner.account_id)) == [kept]
    assert await database.transact(lambda tx: identities.link(tx, identity(other, mine.subject)))
    assert not await database.transact(lambda tx: identities.link(tx, identity(other, kept.subject)))


async def test_all_identities_of_an_account_are_unlinked_and_free(database: Database) -> None:
    """Those of another account stay its own."""
    owner, other = await states.account(database), await states.account(database)
    mine, theirs = [identity(owner), identity(owner)], identity(other)
    for linked in (*mine, theirs):
        await database.transact(lambda tx, linked=linked: identities.link(tx, linked))  # type: ignore[misc]
    for _ in range(2):
        await database.transact(lambda tx: identities.unlink_all(tx, owner.account_id))
    assert await database.read(lambda tx: identities.of_account(tx, owner.account_id)) == []
    assert await database.read(lambda tx: identities.of_account(tx, other.account_id)) == [theirs]
    for subject, free in ((mine[0].subject, True), (mine[1].subject, True), (theirs.subject, False)):
        again = identity(owner, subject)
        assert await database.transact(lambda tx, again=again: identities.link(tx, again)) is free  # type: ignore[misc]


async def test_a_creation_remembers_its_code(database: Database) -> None:
    owner = await states.account(database)
    by_identity, by_address = uuid4(), uuid4()
    for request_id, fingerprint in ((by_identity, b"fingerprint"), (by_address, None)):
        await database.transact(
            lambda tx, r=request_id, f=fingerprint: accounts.claim_creation(tx, r, owner.account_id, f)  # type: ignore[misc]
        )
        found = await database.read(lambda tx, r=request_id: accounts.creation_fingerprint(tx, r))  # type: ignore[misc]
        assert found == fingerprint
    assert await database.read(lambda tx: accounts.creation_fingerprint(tx, uuid4())) is None


async def test_challenges_are_voided_by_what_began_them(database: Database) -> None:
    owner = await states.account(database)
    await states.challenge(database, owner, digest=b"by password")
    await database.transact(lambda tx: challenges.void_begun_by(tx, owner.account_id, "oidc", NOON))
    found = await database.read(lambda tx: challenges.find(tx, owner.account_id, b"by password", "local"))
    assert found
    assert found.void_time is None
    await database.transact(lambda tx: challenges.void_begun_by(tx, owner.account_id, "password", NOON))
    found = await database.read(lambda tx: challenges.find(tx, owner.account_id, b"by password", "local"))
    assert found
    assert found.void_time == NOON


async def test_a_withdrawn_reauthentication_does_not_count(database: Database) -> None:
    """A pending one; what was judged wrong stays."""
    owner = await states.account(database)
    session = await states.session(database, owner)
    for fingerprint in (b"pending", b"wrong", b"other"):
        await database.transact(
            lambda tx, f=fingerprint: sessions.charge_reauthentication(tx, session, f, 1)  # type: ignore[misc]
        )
    await database.transact(lambda tx: sessions.refuse_reauthentication(tx, session, b"wrong"))
    for fingerprint in (b"pending", b"wrong", b"unknown"):
        await database.transact(
            lambda tx, f=fingerprint: sessions.withdraw_reauthentication(tx, session, f)  # type: ignore[misc]
        )
    assert await database.read(lambda tx: sessions.count_reauthentications(tx, session)) == 2
    assert await database.read(lambda tx: sessions.count_wrong_reauthentications(tx, session)) == 1
