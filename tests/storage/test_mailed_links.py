"""Links sent by mail."""

import asyncio
from dataclasses import replace
from uuid import uuid4

from tests.storage import states
from tests.storage.databases import ask, commit, read
from tests.storage.states import MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.mailed_links import LinkPurpose, MailedLink
from twofactor_server.storage import mailed_links
from twofactor_server.storage.database import Database

UNDO, UNLOCK = LinkPurpose.UNDO, LinkPurpose.UNLOCK


async def create(database: Database, owner: Account, purpose: LinkPurpose = UNDO) -> MailedLink:
    """An unused link with a secret."""
    link = states.link(owner, purpose, secret=b"sealed", generation=2)
    await commit(database, mailed_links.create, link, link.link_id.bytes)
    return link


async def stored(database: Database, link: MailedLink) -> MailedLink | None:
    return await read(database, mailed_links.find, link.account_id, link.link_id.bytes)


async def test_a_link_is_found_by_its_account_and_token(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    link = await create(database, owner)
    assert await stored(database, link) == link
    assert await read(database, mailed_links.find, stranger.account_id, link.link_id.bytes) is None
    assert await read(database, mailed_links.find, owner.account_id, b"unknown") is None


async def test_one_of_several_concurrent_uses_succeeds(database: Database) -> None:
    """A used link keeps the fingerprint of its use, and no secret."""
    link = await create(database, await states.account(database))
    uses = (commit(database, mailed_links.mark_used, link, b"print", NOON) for _ in range(8))
    assert sorted(await asyncio.gather(*uses)) == [False] * 7 + [True]
    used = replace(link, totp_secret=None, use_time=NOON, use_fingerprint=b"print")
    assert await stored(database, link) == used


async def test_unused_links_for_one_purpose_are_voided(database: Database) -> None:
    """A void link keeps no secret and cannot be used."""
    owner, other = await states.account(database), await states.account(database)
    link, used = await create(database, owner), await create(database, owner)
    kept = [await create(database, owner, UNLOCK), await create(database, other)]
    await commit(database, mailed_links.mark_used, used, b"print", NOON)
    for now in (NOON, NOON + MINUTE):
        await commit(database, mailed_links.void_unused, owner.account_id, UNDO, now)
    assert await stored(database, link) == replace(link, totp_secret=None, void_time=NOON)
    used_link = await stored(database, used)
    assert used_link is not None
    assert used_link.void_time is None
    assert [await stored(database, one) for one in kept] == kept
    assert await commit(database, mailed_links.mark_used, link, b"print", NOON) is False


async def test_links_for_one_purpose_are_counted_and_listed_after_a_time(database: Database) -> None:
    owner, other = await states.account(database), await states.account(database)
    for account, purpose, minutes in ((owner, UNLOCK, 2), (owner, UNLOCK, 1), (owner, UNDO, 1), (other, UNLOCK, 1)):
        link = states.link(account, purpose, create_time=NOON + minutes * MINUTE)
        await commit(database, mailed_links.create, link, link.link_id.bytes)
    first, second = NOON + MINUTE, NOON + 2 * MINUTE
    for since, expected in ((NOON, [first, second]), (first, [second]), (second, [])):
        key = (owner.account_id, UNLOCK, since)
        assert await read(database, mailed_links.create_times_since, *key) == expected
        assert await read(database, mailed_links.count_since, *key) == len(expected)
    assert await read(database, mailed_links.count_since, uuid4(), UNLOCK, NOON) == 0


async def test_a_decoy_writes_nothing(database: Database, database_url: str) -> None:
    before = await ask(database_url, "SELECT count(*) FROM mailed_links")
    await commit(database, mailed_links.insert_decoy)
    assert await ask(database_url, "SELECT count(*) FROM mailed_links") == before
