"""The links of notices: what the use of one leaves to itself and to the others."""

from typing import Any
from uuid import UUID, uuid4

from tests.storage import states
from tests.storage.states import HOUR, MINUTE, NOON
from twofactor_server.domain.accounts import Account
from twofactor_server.domain.mailed_links import MailedLink, Purpose
from twofactor_server.domain.second_factors import EarlierAuthenticator, Method
from twofactor_server.storage import backup_codes, mailed_links, not_me_links, second_factors
from twofactor_server.storage.database import Database

EARLIER = {"last_step": 7, "enable_time": None, "failures": 0, "disabled": False}


async def link(
    database: Database, owner: Account, secret: bytes | None = None, purpose: Purpose = Purpose.NOT_ME, **details: Any
) -> MailedLink:
    """An unused link."""
    record = MailedLink(owner.account_id, uuid4(), purpose, details, secret, NOON, NOON + HOUR, None, None, None)
    await database.transact(lambda tx: mailed_links.create(tx, record, record.link_id.bytes))
    return record


async def now(database: Database, record: MailedLink) -> MailedLink:
    """The link as it is now."""
    found = await database.read(lambda tx: mailed_links.find(tx, record.account_id, record.link_id.bytes))
    assert found is not None
    return found


async def test_what_was_undone_is_kept_beside_what_was_told(database: Database) -> None:
    owner = await states.account(database)
    used, other = await link(database, owner, generation=2), await link(database, owner, generation=3)
    await database.transact(lambda tx: not_me_links.note_undone(tx, used, ["SESSIONS_ENDED"]))
    assert (await now(database, used)).details == {"generation": 2, "undone": ["SESSIONS_ENDED"]}
    assert await now(database, other) == other


async def test_a_link_pressed_too_early_hands_on_what_it_brings_back(database: Database) -> None:
    """To the unused link of the change that followed, of this account, and to no other."""
    owner, stranger = await states.account(database), await states.account(database)
    first = await link(database, owner, b"sealed", before="a", after="b", earlier=EARLIER)
    second = await link(database, owner, b"other", before="b", after="c", earlier={"last_step": 9})
    third = await link(database, owner, b"third", before="c", after="d", earlier=None)
    theirs = await link(database, stranger, b"theirs", before="b", after="c", earlier=None)
    await database.transact(lambda tx: not_me_links.hand_on(tx, first))
    handed = await now(database, second)
    assert handed.details == {"before": "a", "after": "c", "earlier": EARLIER}
    assert handed.totp_secret == b"sealed"
    assert [await now(database, one) for one in (first, third, theirs)] == [first, third, theirs]


async def test_a_used_link_is_handed_nothing(database: Database) -> None:
    owner = await states.account(database)
    first = await link(database, owner, b"sealed", before="a", after="b", earlier=EARLIER)
    second = await link(database, owner, b"other", before="b", after="c", earlier=None)
    assert await database.transact(lambda tx: mailed_links.use(tx, second, b"print", NOON))
    await database.transact(lambda tx: not_me_links.hand_on(tx, first))
    assert (await now(database, second)).totp_secret is None


async def test_a_state_that_was_brought_back_is_what_had_been_led_to(database: Database) -> None:
    owner = await states.account(database)
    removal = await link(database, owner, b"sealed", before="a", after="email 1", earlier=EARLIER)
    other = await link(database, owner, b"sealed", before="a", after="email 0", earlier=EARLIER)
    await database.transact(lambda tx: not_me_links.stands_at(tx, owner.account_id, "email 1", "email 2"))
    assert (await now(database, removal)).details == removal.details | {"after": "email 2"}
    assert await now(database, other) == other


async def test_what_one_session_was_shown_and_what_was_spent(database: Database) -> None:
    owner, stranger = await states.account(database), await states.account(database)
    mine, other = str(uuid4()), str(uuid4())
    for account, session, generation in ((owner, mine, 2), (owner, mine, 5), (owner, other, 3), (stranger, mine, 4)):
        await link(database, account, generation=generation, session_id=session)
    assert await database.read(lambda tx: not_me_links.generations_made_in(tx, owner.account_id, mine)) == {2, 5}
    for generation in (1, 2, 4):
        await database.transact(
            lambda tx, g=generation: backup_codes.spend(tx, owner.account_id, g, b"print", NOON)  # type: ignore[misc]
        )
    assert await database.read(lambda tx: not_me_links.generations_spent(tx, owner.account_id, 2)) == {2, 4}


async def test_links_of_the_last_hour_are_told_by_their_times(database: Database) -> None:
    owner = await states.account(database)
    await link(database, owner)
    confirming = await link(database, owner, purpose=Purpose.CONFIRM_EMAIL)

    async def times(since: Any, account_id: UUID = owner.account_id) -> list[Any]:
        return await database.read(lambda tx: mailed_links.made_since(tx, account_id, Purpose.CONFIRM_EMAIL, since))

    assert await times(NOON - MINUTE) == [confirming.create_time]
    assert await times(NOON) == []
    assert await times(NOON - MINUTE, uuid4()) == []


async def test_an_earlier_authenticator_comes_back_as_it_was(database: Database) -> None:
    """With the step that it had spent, or a later one of whatever was there since; with its failures, and disabled if
    it was; and a backup code of the next generation."""
    for last_step, expected in ((99, 100), (101, 101)):
        owner = await states.account_with_authenticator(database)
        earlier = EarlierAuthenticator(b"earlier", last_step, NOON - HOUR, failures=100, disabled=True)
        await database.transact(
            lambda tx, o=owner, e=earlier: second_factors.restore_authenticator(  # type: ignore[misc]
                tx, o.account_id, generation=1, earlier=e, code_hash="$argon2id$untold", now=NOON
            )
        )
        factor = await database.read(lambda tx, o=owner: second_factors.read(tx, o.account_id))  # type: ignore[misc]
        assert factor is not None
        assert (factor.method, factor.totp_secret, factor.last_step) == (Method.AUTHENTICATOR, b"earlier", expected)
        assert (factor.enable_time, factor.authenticator.failures) == (NOON - HOUR, 100)
        assert factor.authenticator_disabled
        assert (factor.generation, factor.backup_code_hash, factor.saved_time) == (2, "$argon2id$untold", None)
