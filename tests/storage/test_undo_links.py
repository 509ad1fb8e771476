"""The undo links of notices, and how they depend on each other."""

from typing import Any
from uuid import uuid4

from tests.storage import states
from tests.storage.databases import commit, read
from tests.storage.states import NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.mailed_links import MailedLink
from twofactor_server.storage import backup_codes, mailed_links, undo_links
from twofactor_server.storage.database import Database

EARLIER = {"last_step": 7, "enable_time": None, "failures": 0, "disabled": False}


async def create(database: Database, owner: Account, secret: bytes | None = None, **details: Any) -> MailedLink:
    """An unused undo link."""
    link = states.link(owner, secret=secret, **details)
    await commit(database, mailed_links.create, link, link.link_id.bytes)
    return link


async def stored(database: Database, link: MailedLink) -> MailedLink:
    found = await read(database, mailed_links.find, link.account_id, link.link_id.bytes)
    assert found is not None
    return found


async def test_what_was_reverted_is_added_to_the_details(database: Database) -> None:
    owner = await states.account(database)
    used, other = await create(database, owner, generation=2), await create(database, owner, generation=3)
    await commit(database, undo_links.record_reverted, used, ["SESSIONS_ENDED"])
    assert (await stored(database, used)).details == {"generation": 2, "undone": ["SESSIONS_ENDED"]}
    assert await stored(database, other) == other


async def test_the_undo_is_transferred_to_the_link_of_the_change_that_followed(database: Database) -> None:
    """To an unused link of the same account, and to no other link."""
    owner, stranger = await states.account(database), await states.account(database)
    first = await create(database, owner, b"sealed", before="a", after="b", earlier=EARLIER)
    second = await create(database, owner, b"other", before="b", after="c", earlier={"last_step": 9})
    third = await create(database, owner, b"third", before="c", after="d", earlier=None)
    others = await create(database, stranger, b"others", before="b", after="c", earlier=None)
    await commit(database, undo_links.transfer_undo, first)
    transferred = await stored(database, second)
    assert transferred.details == {"before": "a", "after": "c", "earlier": EARLIER}
    assert transferred.totp_secret == b"sealed"
    for link in (first, third, others):
        assert await stored(database, link) == link


async def test_the_undo_is_not_transferred_to_a_used_link(database: Database) -> None:
    owner = await states.account(database)
    first = await create(database, owner, b"sealed", before="a", after="b", earlier=EARLIER)
    second = await create(database, owner, b"other", before="b", after="c", earlier=None)
    assert await commit(database, mailed_links.mark_used, second, b"print", NOON)
    await commit(database, undo_links.transfer_undo, first)
    used = await stored(database, second)
    assert (used.totp_secret, used.details) == (None, second.details)


async def test_a_state_is_renamed_in_the_link_of_the_change_that_led_to_it(database: Database) -> None:
    owner = await states.account(database)
    removal = await create(database, owner, b"sealed", before="a", after="email 1", earlier=EARLIER)
    other = await create(database, owner, b"sealed", before="a", after="email 0", earlier=EARLIER)
    await commit(database, undo_links.rename_state, owner.account_id, "email 1", "email 2")
    assert (await stored(database, removal)).details == {"before": "a", "after": "email 2", "earlier": EARLIER}
    assert await stored(database, other) == other


async def test_generations_are_listed_by_session_and_by_use(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    session, other = str(uuid4()), str(uuid4())
    for account, session_id, generation in (
        (owner, session, 2),
        (owner, session, 5),
        (owner, other, 3),
        (stranger, session, 4),
    ):
        await create(database, account, generation=generation, session_id=session_id)
    assert await read(database, undo_links.generations_shown_in, owner.account_id, session) == {2, 5}
    for generation in (1, 2, 4):
        await commit(database, backup_codes.spend, owner.account_id, generation, b"print", NOON)
    assert await read(database, undo_links.spent_generations, owner.account_id, 2) == {2, 4}
